// stdin: some words
let text = '';
process.stdin.on('data', (chunk) => (text += chunk)).on('end', () => console.log(text.length, text));
