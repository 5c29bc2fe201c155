/** What the tables hold; a database of another edition is refused, never guessed at. */
export const edition = '1';

export const tables = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE source (name TEXT PRIMARY KEY, records INTEGER NOT NULL, unread INTEGER NOT NULL, date TEXT) WITHOUT ROWID;
  CREATE TABLE ecosystem (name TEXT PRIMARY KEY) WITHOUT ROWID;
  CREATE TABLE advisory (number INTEGER PRIMARY KEY, id TEXT NOT NULL, body TEXT NOT NULL);
  CREATE TABLE affected (
    ecosystem TEXT NOT NULL, name TEXT NOT NULL, advisory INTEGER NOT NULL, place INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (ecosystem, name, advisory, place)
  ) WITHOUT ROWID;
  CREATE TABLE archive (release TEXT NOT NULL, architecture TEXT NOT NULL, whole INTEGER NOT NULL, PRIMARY KEY (release, architecture)) WITHOUT ROWID;
  CREATE TABLE offered (
    release TEXT NOT NULL, name TEXT NOT NULL, architecture TEXT NOT NULL, suite TEXT NOT NULL, version TEXT NOT NULL,
    label TEXT NOT NULL, date TEXT NOT NULL,
    PRIMARY KEY (release, name, architecture, suite, version)
  ) WITHOUT ROWID;
  CREATE TABLE document (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
`;
