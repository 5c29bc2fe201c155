import { compact } from '../base/compact.ts';
import { byCodeUnit } from '../base/text.ts';
import type { SbomComponent, SbomFacts } from '../bom/read.ts';
import { compareDebVersions } from '../bom/versions/deb.ts';
import { type Advisory, type AffectedPackage, levelOfScore } from './advisory.ts';
import { candidateOf, debianRelease, isSecuritySuite, type MissingUpdate } from './archive.ts';
import type { VulnerabilityData } from './data.ts';
import { isOfDistribution, type PackageQuestion, toPackageQuestion } from './ecosystems.ts';
import { evaluate, type Orders, type VersionAnswer, vulnVerdicts } from './evaluate.ts';
import {
  type AboutPackage,
  defaultOrder,
  mergeAnswers,
  type SourceOrder,
  type StatedAnswer,
} from './findings.ts';
import { judgeLlvm } from './llvm.ts';
import { judgeNvidia, programOfPackage } from './nvidia.ts';
import { distributionOwner, isOfOtherRepository, type PlacedComponent, placeComponents } from './owners.ts';
import { levelsBySeverity, type Unjudged, type VulnFinding, type VulnScan } from './scan.ts';

/**
 * Every component of an SBOM against the data: by purl, release, source package and version, and by what was
 * seen inside wheels and programs. Never by CPE, and never by a name alone. The same SBOM and the same data
 * give the same answer.
 */
export function findVulnerabilities(
  { components }: Pick<SbomFacts, 'components'>,
  data: VulnerabilityData,
  order: SourceOrder = defaultOrder,
): VulnScan {
  const judge = new Judge(data);
  const placed = placeComponents(components);
  for (const one of placed) {
    judge.judge(one, placed);
  }
  return judge.scan(order);
}

/**
 * Kinds of components that no advisory is ever about: the image itself, its distribution, compiled kernels,
 * plain files.
 */
const passedOver: ReadonlySet<string> = new Set([
  'container',
  'data',
  'file',
  'operating-system',
  'device',
  'firmware',
]);

/** Everything that was said of one package. */
interface Group {
  readonly about: AboutPackage;
  readonly stated: StatedAnswer[];
  readonly components: Map<SbomComponent, PlacedComponent>;
}

class Judge {
  readonly #data: VulnerabilityData;
  readonly #answers: Map<string, Group> = new Map();
  readonly #unjudged: Unjudged[] = [];
  readonly #updates: MissingUpdate[] = [];
  #judged = 0;
  #answeredByOwner = 0;

  constructor(data: VulnerabilityData) {
    this.#data = data;
  }

  scan(order: SourceOrder): VulnScan {
    const findings = [...this.#answers.values()].flatMap(({ about, components, stated }) =>
      mergeAnswers(about, [...components.values()], stated, order),
    );
    return {
      database: this.#data.facts,
      findings: findings.sort(compareFindings),
      updates: this.#updates.sort((a, b) => byCodeUnit(a.bomRef, b.bomRef)),
      unjudged: this.#unjudged.sort(
        (a, b) => byCodeUnit(a.why, b.why) || byCodeUnit(keyOfUnjudged(a), keyOfUnjudged(b)),
      ),
      judged: this.#judged,
      answeredByOwner: this.#answeredByOwner,
    };
  }

  judge(placed: PlacedComponent, all: readonly PlacedComponent[]): void {
    const { component, parts } = placed;
    if (passedOver.has(component.type)) {
      return;
    }
    if (distributionOwner(placed, this.#data) !== undefined) {
      this.#answeredByOwner += 1;
      return;
    }
    const whys = [this.#askNvidia(placed, all), this.#askLlvm(placed)];
    const answered = whys.includes('answered');
    if (parts === undefined) {
      this.#settle(
        placed,
        answered,
        component.purl === undefined ? 'it has no purl' : 'its purl cannot be read',
      );
      return;
    }
    if (isOfDistribution(parts.type) && isOfOtherRepository(component, parts, this.#data)) {
      this.#settle(placed, answered, "it is a package of another repository than the distribution's");
      return;
    }
    const isInArchive = this.#askArchive(placed);
    const question = toPackageQuestion(parts);
    if ('why' in question) {
      this.#settle(placed, answered, question.why);
      return;
    }
    const ecosystems = this.#data.ecosystems.filter(question.isMeant);
    if (ecosystems.length === 0) {
      this.#settle(
        placed,
        answered,
        isInArchive
          ? `only the index of the archive was asked whether an update is missing; the database has no advisories for ${question.ecosystem}`
          : `the database has nothing about ${question.ecosystem}`,
      );
      return;
    }
    this.#judged += 1;
    for (const ecosystem of ecosystems) {
      this.#askEcosystem(placed, question, ecosystem);
    }
  }

  #settle({ component }: PlacedComponent, answered: boolean, why: string): void {
    if (answered) {
      this.#judged += 1;
      return;
    }
    const { bomRef, name, purl, version } = component;
    this.#unjudged.push(compact({ bomRef, name, version, purl, why }));
  }

  #askEcosystem(placed: PlacedComponent, question: PackageQuestion, ecosystem: string): void {
    for (const { name, version } of question.names) {
      for (const { advisory, affected } of this.#data.find(ecosystem, name)) {
        const answer = answerOf(placed, affected, version, question.orders);
        this.#state(
          placed,
          { ecosystem: question.ecosystem, name, ...compact({ version }) },
          {
            advisory,
            source: isOfDistribution(placed.parts?.type ?? '') ? question.ecosystem : sourceOf(advisory),
            isDistribution: isOfDistribution(placed.parts?.type ?? ''),
            affected,
            answer,
          },
        );
      }
    }
  }

  #state(placed: PlacedComponent, about: AboutPackage, stated: StatedAnswer): void {
    const key = [about.ecosystem, about.name, about.version ?? '', isHeaders(placed) ? 'headers' : ''].join(
      '\n',
    );
    const group: Group = this.#answers.get(key) ?? { about, stated: [], components: new Map() };
    this.#answers.set(key, group);
    group.components.set(placed.component, placed);
    // Binary packages of one source ask the same: what was said once is enough.
    const isKnown = group.stated.some(
      (one) => one.advisory.id === stated.advisory.id && one.affected === stated.affected,
    );
    if (!isKnown) {
      group.stated.push(stated);
    }
  }

  #askNvidia(placed: PlacedComponent, all: readonly PlacedComponent[]): 'answered' | undefined {
    const { nvidia } = this.#data;
    const program = programOf(placed);
    if (nvidia === undefined || program === undefined) {
      return undefined;
    }
    const { component, parts } = placed;
    // The program itself, seen inside the package, says more than the package's name.
    const isSeenInside = all.some(
      (other) => programOf(other) === program && other.owners.some((owner) => owner.component === component),
    );
    if (isSeenInside) {
      return 'answered';
    }
    for (const fact of nvidia.facts.filter(({ programs }) => programs.some((name) => named(name, program)))) {
      const version = parts?.version;
      this.#state(
        placed,
        { ecosystem: 'NVIDIA', name: program, ...compact({ version }) },
        {
          source: 'NVIDIA',
          isDistribution: false,
          advisory: compact({
            id: fact.cve,
            aliases: [],
            upstream: [],
            published: `${fact.published}T00:00:00Z`,
            severity: compact({ level: levelOfScore(fact.score), score: fact.score }),
          }),
          affected: noPackage,
          answer: judgeNvidia(fact, program, version, nvidia.releases),
        },
      );
    }
    return 'answered';
  }

  #askLlvm(placed: PlacedComponent): 'answered' | undefined {
    const { component, parts } = placed;
    if (parts?.type !== 'github' || !/^llvm\/llvm-project$/.test(`${parts.namespace}/${parts.name}`)) {
      return undefined;
    }
    for (const fact of this.#data.llvm) {
      this.#state(
        placed,
        {
          ecosystem: 'LLVM',
          name: 'llvm-project',
          ...compact({ version: component.version ?? parts.version }),
        },
        {
          source: 'LLVM',
          isDistribution: false,
          advisory: {
            id: fact.cve,
            aliases: [],
            upstream: [],
            severity: { level: 'unknown' },
            disputed: true,
          },
          affected: noPackage,
          answer: judgeLlvm(fact, parts.version ?? '', component.version),
        },
      );
    }
    return this.#data.llvm.length === 0 ? undefined : 'answered';
  }

  /** Whether the archive has answered for the package. */
  #askArchive({ component, parts }: PlacedComponent): boolean {
    const release = parts === undefined ? undefined : debianRelease(parts);
    const architecture = parts?.qualifiers?.['arch'] ?? 'all';
    if (
      parts?.version === undefined ||
      !this.#data.archives.has(`${release} ${architecture}`) ||
      release === undefined
    ) {
      return false;
    }
    const installed = parts.version;
    const offered = this.#data.offered(release, parts.name, architecture);
    const candidate = candidateOf(offered);
    if (candidate !== undefined && compareDebVersions(candidate.version, installed) > 0) {
      this.#updates.push({
        bomRef: component.bomRef ?? component.purl ?? component.name,
        name: parts.name,
        installed,
        offered: candidate,
        isSecurity: offered.some(
          (one) => isSecuritySuite(one) && compareDebVersions(one.version, installed) > 0,
        ),
      });
    }
    return true;
  }
}

const noPackage: AffectedPackage = { ecosystem: '', name: '', ranges: [], versions: [] };

function answerOf(
  placed: PlacedComponent,
  affected: AffectedPackage,
  version: string | undefined,
  orders: Orders,
): VersionAnswer & { readonly justification?: 'vulnerable_code_not_present' } {
  if (isHeaders(placed)) {
    return {
      verdict: 'not-affected',
      why: 'the package holds headers of the kernel and no kernel',
      justification: 'vulnerable_code_not_present',
    };
  }
  if (affected.systems !== undefined && !affected.systems.includes('linux')) {
    return {
      verdict: 'not-affected',
      why: `only on ${affected.systems.join(', ')}`,
      justification: 'vulnerable_code_not_present',
    };
  }
  if (version === undefined) {
    return { verdict: 'cannot-tell', why: 'the version of the component is not known' };
  }
  return evaluate(affected, version, orders);
}

/** Packages of the kernel's source that hold its headers; the kernel of a container is the host's. */
const headers = /^(?:kernel-headers|linux-api-headers|linux-headers(?:-.+)?|linux-libc-dev(?:-.+)?)$/;

function isHeaders({ parts }: PlacedComponent): boolean {
  return parts !== undefined && isOfDistribution(parts.type) && headers.test(parts.name);
}

/** The database that a record comes from, by its id: `GHSA`, `PYSEC`, `GO`. */
function sourceOf({ id }: Advisory): string {
  return /^[A-Za-z]+/.exec(id)?.[0] ?? id;
}

/** A program as NVIDIA's bulletins name it, for what is NVIDIA's. */
function programOf({ parts }: PlacedComponent): string | undefined {
  if (parts?.type === 'generic' && parts.namespace === 'nvidia') {
    return parts.name;
  }
  return parts?.type === 'pypi' ? programOfPackage(parts.name) : undefined;
}

function named(bulletin: string, program: string): boolean {
  return bulletin.toLowerCase() === program.toLowerCase();
}

function compareFindings(a: VulnFinding, b: VulnFinding): number {
  return (
    vulnVerdicts.indexOf(a.verdict) - vulnVerdicts.indexOf(b.verdict) ||
    levelsBySeverity.indexOf(a.severity.level) - levelsBySeverity.indexOf(b.severity.level) ||
    (b.severity.score ?? 0) - (a.severity.score ?? 0) ||
    byCodeUnit(a.ecosystem, b.ecosystem) ||
    byCodeUnit(a.package, b.package) ||
    byCodeUnit(a.version ?? '', b.version ?? '') ||
    byCodeUnit(a.id, b.id)
  );
}

function keyOfUnjudged({ bomRef, name, purl }: Unjudged): string {
  return bomRef ?? purl ?? name;
}
