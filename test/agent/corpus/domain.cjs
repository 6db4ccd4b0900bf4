const domain = require('node:domain');
const one = domain.create();
one.on('error', (error) => console.log('domain', error.message));
one.run(() => setTimeout(() => { throw new Error('in a domain'); }, 5));
