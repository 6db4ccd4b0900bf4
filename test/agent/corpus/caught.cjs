process.on('uncaughtException', (error, origin) => console.log(error.message, origin));
setTimeout(() => { throw new Error('first'); }, 1);
setTimeout(() => { throw { odd: true, message: 'second' }; }, 10);
