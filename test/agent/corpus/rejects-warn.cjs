process.on('unhandledRejection', (error) => console.log('heard', error.message));
Promise.reject(new Error('one'));
setTimeout(() => {}, 20);
