import { afterAll, beforeAll, test } from 'vitest';
import { openPlace, type Place, type Steps } from './place.ts';

/** Takes the steps one after the other, in one place. */
export function takeSteps(steps: Steps): void {
  let place: Place;
  beforeAll(async () => {
    place = await openPlace();
  });
  afterAll(() => place[Symbol.asyncDispose]());

  test.for(Object.entries(steps))('%s', async ([, step]) => {
    await step(place);
  });
}
