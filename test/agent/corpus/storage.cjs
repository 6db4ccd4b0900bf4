const { AsyncLocalStorage } = require('node:async_hooks');
const storage = new AsyncLocalStorage();
storage.run({ id: 5 }, () => setTimeout(() => console.log(storage.getStore()), 5));
setTimeout(() => console.log(storage.getStore()), 10);
