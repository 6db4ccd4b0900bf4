console.log(process.getActiveResourcesInfo().join(), process._getActiveHandles().filter((handle) => !handle.isTTY && handle.fd === undefined).length);
setTimeout(() => console.log(process.getActiveResourcesInfo().filter((type) => !/Wrap$/.test(type)).join()), 40);
