/** Maps in the order of `items`, at most `width` at once. The first error ends it. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < items.length && !failed) {
      const at = next;
      next += 1;
      const item = items[at];
      if (item === undefined) continue;
      try {
        results[at] = await map(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return results;
}
