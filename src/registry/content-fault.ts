import { TcfError } from '../base/error.ts';

/** Whether whoever pushed the content could have caused this, rather than the registry or the network. */
export function isContentFault(error: unknown): error is TcfError {
  // A registry checks the digest of what is pushed to it, but hardly any checks the sizes in a manifest, and some not even that its blobs are there.
  return (
    error instanceof TcfError &&
    (error.code === 'content.size' ||
      error.code === 'bytes.too-large' ||
      error.code === 'registry.missing' ||
      /^(?:json|manifest|document|digest)\./.test(error.code))
  );
}
