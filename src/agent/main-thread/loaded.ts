/** The state of the process when the agent's first line ran: imported before all else, since what is imported changes it. */
const { moduleLoadList = [] } = process as NodeJS.Process & { moduleLoadList?: readonly string[] };

/** Whether Node's streams were there already: they are in a process made from a startup snapshot, and else where somebody loaded them. */
export const hadStreams = moduleLoadList.includes('Internal Binding stream_wrap');

/** Whether a startup snapshot is being built, or was with this code in it. */
export const inSnapshot = process.execArgv.some((flag) => /^--build[-_](?:snapshot|sea)/.test(flag));
