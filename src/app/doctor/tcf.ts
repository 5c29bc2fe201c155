import { publicGoodDate } from '../../attest/public-good.ts';
import { broken, ok } from '../../base/diagnostic.ts';
import type { Host } from '../../system/host.ts';
import { version } from '../../version.ts';
import { lastEntryTime } from '../decision-log.ts';
import type { DoctorCheck } from './check.ts';

/** tcf itself and the clock, on which every certificate and every age depends. */
export const tcf: DoctorCheck = {
  name: 'tcf',
  async examine(host) {
    const now = host.now();
    const known = await knownTimes(host);
    const ahead = known.filter(({ at }) => at.getTime() > now.getTime());
    const [latest] = ahead.sort((a, b) => b.at.getTime() - a.at.getTime());
    return [
      ok('tcf.version', `tcf ${version}, started as ${host.self.join(' ')}`),
      latest === undefined
        ? ok('tcf.clock', `the clock says ${now.toISOString()}`)
        : broken(
            'tcf.clock',
            `the clock says ${now.toISOString()}, but ${latest.what} is of ${latest.at.toISOString()}`,
            'set the clock (timedatectl set-ntp true); until then signatures of today look as if they came from the future',
          ),
    ];
  },
};

/** Moments that are certainly over. */
async function knownTimes(host: Host): Promise<readonly { readonly what: string; readonly at: Date }[]> {
  const last = await lastEntryTime(host);
  return [
    { what: 'the Sigstore root that tcf carries', at: publicGoodDate },
    ...(last === undefined ? [] : [{ what: 'the last entry of the log', at: last }]),
  ];
}
