// XML 1.0 (production 2) has no C0 but tab and line feed, and JSON readers choke on half a surrogate pair; C1
// and DEL move cursors.
const illegal =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Longer texts are licence texts and change logs in the wrong field; 4,000 packages of them would pass every
 * attestation limit.
 */
const maxTextLength = 8192;

/**
 * A stranger's text for a document: what JSON and XML cannot hold becomes U+FFFD, line ends become line
 * feeds, length is bounded.
 */
export function cleanText(text: string): string {
  const cut = text.length > maxTextLength ? `${text.slice(0, maxTextLength).toWellFormed()}…` : text;
  return cut.replaceAll('\r\n', '\n').replace(illegal, '\ufffd');
}

/**
 * A URL as an RFC 3986 reference in ASCII, with blanks, quotes and the like percent-encoded; `undefined`
 * where that does not help (`git@host:path`, two hashes). CycloneDX schemas check `iri-reference`, and one
 * bad Homepage field would fail the whole document.
 */
export function toUriReference(url: string): string | undefined {
  const text = url.trim().toWellFormed();
  if (text === '' || text.length > maxTextLength) {
    return undefined;
  }
  const encoded = encodeURI(text)
    .replace(/%25(?=[0-9A-Fa-f]{2})/g, '%')
    .replace(/[`^{|}\\]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return reference.test(encoded) ? encoded : undefined;
}

const pathChar = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const authority =
  "//(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*(?::\\d{0,5})?(?=[/?#]|$)";
// A scheme, or a first segment without a colon; then perhaps a host and port, a path, at most one query and
// one fragment. No IPv6 hosts.
const reference: RegExp = new RegExp(
  `^(?:[A-Za-z][A-Za-z0-9+.-]*:|(?=[^:]*(?:[/?#]|$)))(?:${authority}|(?!//))(?:${pathChar}|/)*(?:\\?(?:${pathChar}|[/?])*)?(?:#(?:${pathChar}|[/?])*)?$`,
);

/**
 * Whether the text is an e-mail address by the schema's `idn-email`, strictly: one `@`, a dotted domain, no
 * comment, no quotes.
 */
export function isEmail(text: string): boolean {
  return (
    text.length <= 254 &&
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(
      text,
    )
  );
}
