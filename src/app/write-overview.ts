import { quoted } from '../base/text.ts';
import type { Output } from '../system/host.ts';
import { paintPage } from '../system/terminal.ts';

/** What is in it, for a person at the terminal. `text` is the SBOM as JSON. */
export async function writeOverview(
  terminal: Output,
  image: string,
  text: string,
  width: number,
): Promise<void> {
  const [{ parseBomContents }, { toOverviewText }] = await Promise.all([
    import('../bom/contents.ts'),
    import('../report/inside/overview-text.ts'),
  ]);
  const page = toOverviewText(parseBomContents(JSON.parse(text), quoted(image)), image, width);
  await terminal.write(paintPage(page, terminal));
}
