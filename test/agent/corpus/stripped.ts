// versions: 24 26
interface Greeting { text: string }
const greeting: Greeting = { text: 'typed' };
console.log(greeting.text);
