import { broken, type Diagnostic, ok } from '../../base/diagnostic.ts';
import { TcfError } from '../../base/error.ts';
import { plural } from '../../base/text.ts';
import { isSystemError } from '../../system/errors.ts';
import { fileExists } from '../../system/files.ts';
import { openPrivateFolder } from '../../system/folders.ts';
import type { Host } from '../../system/host.ts';
import { checkLog, logFolder } from '../decision-log.ts';
import { evidenceFolder } from '../evidence-cache.ts';
import type { DoctorCheck } from './check.ts';

/** What tcf keeps: the log of decisions and the cache. */
export const state: DoctorCheck = {
  name: 'state',
  async examine(host) {
    const folders = await Promise.all(
      [logFolder(host), evidenceFolder(host)].map((path) => examineFolder(host, path)),
    );
    return [...folders.flat(), await examineLog(host)];
  },
};

async function examineLog(host: Host): Promise<Diagnostic> {
  try {
    const log = await checkLog(host);
    return 'broken' in log
      ? broken(
          'log.changed',
          `the log was changed at ${log.broken}`,
          'find out by whom; then tcf log archive keeps this log under another name, and a new log begins',
        )
      : ok('log.chain', `the log has ${plural(log.count, 'decision')} in an unbroken chain`);
  } catch (error) {
    if (error instanceof TcfError) {
      return broken(error.code, error.message, error.hint ?? 'tcf log archive');
    }
    throw error;
  }
}

async function examineFolder(host: Host, path: string): Promise<readonly Diagnostic[]> {
  if (!fileExists(host, path)) {
    return [];
  }
  try {
    openPrivateFolder(host, path);
    return [ok('folder.private', `${path} is yours alone`)];
  } catch (error) {
    if (error instanceof TcfError) {
      return [broken(error.code, error.message, error.hint ?? 'make it yours alone')];
    }
    if (isSystemError(error)) {
      return [broken('folder.unwritable', error.message, 'make room, or change the permissions')];
    }
    throw error;
  }
}
