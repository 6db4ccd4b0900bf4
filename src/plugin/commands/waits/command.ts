import { readingCommand } from '../reading-command.ts';

export const waits = readingCommand('waits', ['waits pod/api-0', 'waits deploy/api', 'waits pod/api-0 -o json']);
