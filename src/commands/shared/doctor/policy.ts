import { plural } from '../../../base/text.ts';
import { enforces } from '../../../policy/decide.ts';
import { textOption } from '../../verb.ts';
import { loadPolicies } from '../policies.ts';
import { loadTrust } from '../trust.ts';
import { broken, type DoctorCheck, ok } from './finding.ts';

/** The policies in force, and whom they believe. */
export const policy: DoctorCheck = {
  name: 'policy',
  async examine(host, options) {
    const policies = await loadPolicies(host, textOption(options, 'policy'));
    const found = policies.map((one) => {
      const idle = one.scopes.filter((scope) => !enforces(scope)).map(({ match }) => match);
      if (idle.length > 0)
        return broken(
          `${one.name} denies nothing in ${idle.join(', ')}: every rule there only warns`,
          'take "mode: warn" away from what you mean',
        );
      return ok(
        `${one.name} is in force: ${plural(one.scopes.length, 'scope')}, ${plural(one.signers.size, 'signer')}`,
      );
    });
    const trusts = await Promise.all(
      policies.map(async (one) => {
        const { keys, roots } = await loadTrust(host, one, textOption(options, 'trustedRoot'));
        const newest = roots.map((root) => root.newest.toISOString().slice(0, 10)).join(', ');
        return ok(`${one.name} believes ${plural(keys.length, 'key')} and a Sigstore root of ${newest}`);
      }),
    );
    return [...found, ...trusts];
  },
};
