JSON.stringify = JSON.parse = () => { throw new Error('no JSON'); };
Object.prototype.toJSON = () => { throw new Error('toJSON'); };
setTimeout(() => console.log('later'), 30);
