function inner() { throw new Error('thrown', { cause: new TypeError('reason') }); }
setTimeout(function later() { inner(); }, 5);
