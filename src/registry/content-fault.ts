import { TcfError } from '../base/error.ts';

/** Whether the author of the content can have caused the error, rather than the registry or the network. */
export function isContentFault(error: unknown): error is TcfError {
  // A registry checks the digest of what is pushed to it, but hardly any checks the sizes in a manifest, and
  // some not even that its blobs are there.
  return (
    error instanceof TcfError &&
    (error.code === 'content.size' ||
      error.code === 'bytes.too-large' ||
      error.code === 'registry.missing' ||
      /^(?:json|manifest|document|digest)\./.test(error.code))
  );
}
