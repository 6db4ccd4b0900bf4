Error.prepareStackTrace = (error, sites) => { process.stdout.write('prepared ' + error.message + '\n'); return String(sites.length > 0); };
setTimeout(() => { const text = new Error('own').stack; process.stdout.write(text + '\n'); }, 30);
