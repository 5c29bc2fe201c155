import { isDigest } from '../oci/digest.ts';
import { type Form, textLike, textThat } from './form.ts';

/** One line for people who read the decision. */
export const line: Form<string> = textLike(
  /^[^\u0000-\u001f\u007f]{1,400}$/,
  'is not one line of at most 400 characters',
);

export const digestText: Form<string> = textThat(isDigest, 'is not a digest: sha256:<64 hexadecimal digits>');
