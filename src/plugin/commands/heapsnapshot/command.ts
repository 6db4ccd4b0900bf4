import { snapshotCommand } from '../capture-command.ts';

export const heapsnapshot = snapshotCommand('heapsnapshot', [
  'heapsnapshot pod/api-0',
  'heapsnapshot pod/api-0 -c web --output snapshots/',
  'heapsnapshot pod/api-0 --diff-base before.heapsnapshot',
]);
