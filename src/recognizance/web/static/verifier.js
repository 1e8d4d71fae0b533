/* Checks the ledger in the reader's own browser: a checkpoint's signature, an entry's inclusion, and that the ledger
   continues the one that this browser saw before. Nothing but WebCrypto is used, and no other file.

   It believes nothing that the server computed: from the server it takes only the public files that anybody can take
   (checkpoint, tiles, entry bundles), and each is held against the signature of a key that the caller states. Where that
   key comes from is the reader's to judge; docs/verifying.md says how.

   Implements the reading side of c2sp.org/signed-note, tlog-checkpoint and tlog-tiles for Ed25519, and the checks of
   RFC 9162, sections 2.1.3.2 and 2.1.4.2. Sizes are JavaScript numbers, exact up to 2^53 - 1; a larger one is refused.
   Every failure is a `Refusal` with one of the codes of `REFUSALS`; a check that isn't refused has succeeded. */

export const REFUSALS = Object.freeze([
  "unsupported", // this browser can't check Ed25519 signatures, or the page isn't served securely
  "unreachable", // the server didn't answer
  "missing",     // a file that the checkpoint speaks of isn't there
  "key",         // the key isn't one
  "checkpoint",  // the checkpoint is malformed, or isn't spelled in the one way that is allowed
  "unsigned",    // the key that was stated didn't sign the checkpoint
  "signature",   // the signature by that key is false
  "origin",      // the checkpoint is of another log than the key
  "index",       // the ledger has no entry of this number
  "tile",        // a tile doesn't have the hashes that it should have, or they don't lead to the signed root
  "bundle",      // an entry bundle is malformed or cut off
  "inclusion",   // the entry isn't what the signed root holds at its place
  "shown",       // the entry in the ledger isn't the one that the page shows
  "canonical",   // the entry isn't spelled as canonical JSON
  "rolled-back", // the ledger is shorter than it was
  "forked",      // the ledger doesn't continue the one that was seen before
  "memory",      // what this browser remembers of the ledger can't be read
]);

export class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.name = "Refusal";
    this.code = code;
  }
}

const HASH_BYTES = 32;
const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;
const MAX_FILE_BYTES = TILE_WIDTH * (2 + 0xffff);
const MAX_NAME_CHARACTERS = 255;
const ED25519 = 0x01;
const KEY_ID_BYTES = 4;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

// Bytes and text.

const encodeText = (text) => new TextEncoder().encode(text);

function decodeText(bytes, code, what) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(code, `${what} isn't UTF-8`);
  }
}

function toBase64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  // atob() takes white space, missing padding and stray bits; there is one spelling, and writing it again finds it.
  return toBase64(bytes) === text ? bytes : null;
}

function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const equal = (one, other) => one.length === other.length && one.every((byte, place) => byte === other[place]);

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const leafHash = (entry) => sha256(concat(Uint8Array.of(0), entry));
const nodeHash = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

// Keys and signed notes.

function isName(name) {
  return name.length >= 1 && name.length <= MAX_NAME_CHARACTERS && !/[\s+]/.test(name) && !CONTROL.test(name);
}

/** Reads a public key, `name+hash+base64`. */
export async function parseKey(text) {
  const [, name, hash, encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text) ?? [];
  const raw = encoded === undefined ? null : fromBase64(encoded);
  if (raw === null || !isName(name) || raw.length !== 1 + HASH_BYTES || raw[0] !== ED25519) {
    throw new Refusal("key", "this is no public key of the form name+hash+base64");
  }
  const id = (await sha256(concat(encodeText(`${name}\n`), raw))).slice(0, KEY_ID_BYTES);
  const spelled = Array.from(id, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (spelled !== hash) {
    throw new Refusal("key", "the hash in the key is that of another key");
  }
  return { name, id, publicKey: raw.slice(1) };
}

function parseSignature(line) {
  const [, name, encoded] = /^\u2014 ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const raw = encoded === undefined ? null : fromBase64(encoded);
  if (raw === null || !isName(name) || raw.length <= KEY_ID_BYTES) {
    throw new Refusal("checkpoint", "a signature line of the checkpoint isn't canonical");
  }
  return { name, id: raw.slice(0, KEY_ID_BYTES), blob: raw.slice(KEY_ID_BYTES) };
}

function parseNote(bytes) {
  if (bytes.length > MAX_NOTE_BYTES) {
    throw new Refusal("checkpoint", "the checkpoint is too long");
  }
  const whole = decodeText(bytes, "checkpoint", "the checkpoint");
  // "the text is separated from the signatures by the last empty line in the note"
  const end = whole.lastIndexOf("\n\n");
  if (end < 0 || CONTROL.test(whole) || !whole.endsWith("\n")) {
    throw new Refusal("checkpoint", "the checkpoint isn't a signed note");
  }
  const lines = whole.slice(end + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) {
    throw new Refusal("checkpoint", "the checkpoint has too many signatures");
  }
  return { text: whole.slice(0, end + 1), signatures: lines.map(parseSignature) };
}

async function isSignedBy(publicKey, signature, message) {
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
  } catch (error) {
    if (error.name === "NotSupportedError") {
      throw new Refusal("unsupported", "this browser can't check Ed25519 signatures");
    }
    return false;
  }
}

function parseDecimal(text) {
  const number = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(number)) {
    throw new Refusal("checkpoint", "the size in the checkpoint isn't a plain decimal number");
  }
  return number;
}

/** Opens a checkpoint that `keyText` signed; answers its origin, size and root. */
export async function openCheckpoint(bytes, keyText) {
  if (globalThis.crypto?.subtle === undefined) {
    throw new Refusal("unsupported", "this page isn't served over HTTPS, so the browser lends it no cryptography");
  }
  const key = await parseKey(keyText);
  const note = parseNote(bytes);
  const mine = note.signatures.filter((each) => each.name === key.name && equal(each.id, key.id));
  if (mine.length === 0) {
    throw new Refusal("unsigned", "the checkpoint isn't signed by this key");
  }
  for (const signature of mine) {
    if (!(await isSignedBy(key.publicKey, signature.blob, encodeText(note.text)))) {
      throw new Refusal("signature", "the signature of the checkpoint is false");
    }
  }
  const [origin, size, root, ...extensions] = note.text.slice(0, -1).split("\n");
  const rootHash = root === undefined ? null : fromBase64(root);
  if (origin === "" || rootHash === null || rootHash.length !== HASH_BYTES || extensions.includes("")) {
    throw new Refusal("checkpoint", "the checkpoint doesn't state a log, a size and a root");
  }
  if (origin !== key.name) {
    throw new Refusal("origin", "the checkpoint is of another log than the key");
  }
  return { origin, size: parseDecimal(size), root: rootHash };
}

// Tiles and entry bundles.

function spell(index, width) {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, "0");
  const groups = digits.match(/[0-9]{3}/g);
  const place = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return width === TILE_WIDTH ? place : `${place}.p/${width}`;
}

/** Where a tile lies in a tree of `size` leaves: `tile/<level>/<index>[.p/<width>]`. */
export function tilePath(level, index, width) {
  return `tile/${level}/${spell(index, width)}`;
}

/** Where the entries beside tile `index` of level 0 lie. */
export function bundlePath(index, width) {
  return `tile/entries/${spell(index, width)}`;
}

const widthOf = (hashes, index) => Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH);

/* "Logs MAY delete any partial tile once the corresponding full tile is available", so the full one is asked for too.
   Answers the content and the width that it should have. */
async function readPlace(read, pathOf, index, width) {
  for (const wanted of width === TILE_WIDTH ? [width] : [width, TILE_WIDTH]) {
    const data = await read(pathOf(index, wanted));
    if (data !== null) {
      return { data, width: wanted };
    }
  }
  throw new Refusal("missing", `${pathOf(index, width)} isn't there`);
}

/** Reads the hashes of complete subtrees of a tree of `size` leaves out of its tiles. Nothing of them is checked. */
class Tiles {
  #read;
  #size;
  #held = new Map();

  constructor(read, size) {
    this.#read = read;
    this.#size = size;
  }

  async node(level, position) {
    const tileLevel = Math.floor(level / TILE_HEIGHT);
    const height = level % TILE_HEIGHT;
    const perTile = 2 ** (TILE_HEIGHT - height);
    const hashes = await this.#tile(tileLevel, Math.floor(position / perTile));
    const first = (position % perTile) * 2 ** height;
    return this.#subtree(hashes.slice(first, first + 2 ** height));
  }

  async #subtree(hashes) {
    while (hashes.length > 1) {
      const pairs = [];
      for (let place = 0; place < hashes.length; place += 2) {
        pairs.push(nodeHash(hashes[place], hashes[place + 1]));
      }
      hashes = await Promise.all(pairs);
    }
    return hashes[0];
  }

  async #tile(level, index) {
    const name = `${level}/${index}`;
    if (!this.#held.has(name)) {
      const wide = widthOf(Math.floor(this.#size / TILE_WIDTH ** level), index);
      const { data, width } = await readPlace(this.#read, (at, w) => tilePath(level, at, w), index, wide);
      if (data.length !== width * HASH_BYTES) {
        throw new Refusal("tile", `${tilePath(level, index, width)} has ${data.length} bytes, not ${width * HASH_BYTES}`);
      }
      const hashes = [];
      for (let place = 0; place < wide; place += 1) {
        hashes.push(data.slice(place * HASH_BYTES, (place + 1) * HASH_BYTES));
      }
      this.#held.set(name, hashes);
    }
    return this.#held.get(name);
  }
}

/** Reads one entry out of its bundle. */
async function readEntry(read, index, size) {
  const bundle = Math.floor(index / TILE_WIDTH);
  const { data, width } = await readPlace(read, bundlePath, bundle, widthOf(size, bundle));
  const entries = [];
  let start = 0;
  while (entries.length < width) {
    const end = start + 2 + (start + 2 <= data.length ? data[start] * 256 + data[start + 1] : 0);
    if (start + 2 > data.length || end > data.length) {
      throw new Refusal("bundle", `the entry bundle ends within entry ${bundle * TILE_WIDTH + entries.length}`);
    }
    entries.push(data.slice(start + 2, end));
    start = end;
  }
  if (start !== data.length) {
    throw new Refusal("bundle", "the entry bundle has bytes after its last entry");
  }
  return entries[index % TILE_WIDTH];
}

// Proofs: built from the tiles by the definition, and checked by the algorithms of RFC 9162.

/** The largest power of two smaller than `width`, which is at least 2. */
function split(width) {
  let power = 1;
  while (power * 2 < width) {
    power *= 2;
  }
  return power;
}

/** The hash of leaves `low` to `high`, exclusive, as the tiles have it. */
async function rangeRoot(tiles, low, high) {
  const nodes = [];
  while (low < high) {
    // Counted, because Math.log2() rounds up just below a large power of two.
    let level = 0;
    while (2 ** (level + 1) <= high - low) {
      level += 1;
    }
    nodes.push(await tiles.node(level, low / 2 ** level));
    low += 2 ** level;
  }
  let root = nodes.pop();
  while (nodes.length > 0) {
    root = await nodeHash(nodes.pop(), root);
  }
  return root;
}

async function inclusionProof(tiles, index, size) {
  const path = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + split(high - low);
    if (index < middle) {
      path.unshift(await rangeRoot(tiles, middle, high));
      high = middle;
    } else {
      path.unshift(await rangeRoot(tiles, low, middle));
      low = middle;
    }
  }
  return path;
}

/* As RFC 6962, section 2.1.2, but that the whole old tree is always sent, if it is one subtree: then it is the tiles'
   word for it that is checked, and damaged tiles can be told from another history. */
async function consistencyProof(tiles, oldSize, size) {
  const proof = [];
  let [low, high] = [0, size];
  while (oldSize !== high) {
    const middle = low + split(high - low);
    if (oldSize <= middle) {
      proof.unshift(await rangeRoot(tiles, middle, high));
      high = middle;
    } else {
      proof.unshift(await rangeRoot(tiles, low, middle));
      low = middle;
    }
  }
  return [await rangeRoot(tiles, low, high), ...proof];
}

/** The root that a proof leads to (RFC 9162, section 2.1.3.2). */
export async function rootOfInclusion(leaf, index, size, proof) {
  if (!(index >= 0 && index < size)) {
    throw new Refusal("index", `the ledger has ${size} entries, counted from 0; there is no entry ${index}`);
  }
  let [place, last, root] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) {
      throw new Refusal("inclusion", "the proof is too long");
    }
    if (place % 2 === 1 || place === last) {
      root = await nodeHash(sibling, root);
      while (place % 2 === 0 && place !== 0) {
        place /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      root = await nodeHash(root, sibling);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) {
    throw new Refusal("inclusion", "the proof is too short");
  }
  return root;
}

/** The old and the new root that a proof leads to, for 0 < oldSize < size (RFC 9162, section 2.1.4.2). */
export async function rootsOfConsistency(oldSize, size, proof) {
  let [place, last] = [oldSize - 1, size - 1];
  while (place % 2 === 1) {
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  let [seenOld, seenNew] = [proof[0], proof[0]];
  for (const sibling of proof.slice(1)) {
    if (last === 0) {
      throw new Refusal("tile", "the proof is too long");
    }
    if (place % 2 === 1 || place === last) {
      seenOld = await nodeHash(sibling, seenOld);
      seenNew = await nodeHash(sibling, seenNew);
      while (place % 2 === 0 && place !== 0) {
        place /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      seenNew = await nodeHash(seenNew, sibling);
    }
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  if (last !== 0) {
    throw new Refusal("tile", "the proof is too short");
  }
  return [seenOld, seenNew];
}

// Canonical JSON. RFC 8785 is built on what JavaScript itself writes, so only the names have to be put in order.

function canonical(value) {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(",")}]`;
  }
  if (value !== null && typeof value === "object") {
    // sort() compares UTF-16 code units, as section 3.2.3 asks.
    return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

function requireCanonical(text) {
  let spelled;
  try {
    spelled = canonical(JSON.parse(text));
  } catch {
    throw new Refusal("canonical", "the entry isn't JSON");
  }
  if (spelled !== text) {
    throw new Refusal("canonical", "the entry isn't spelled as canonical JSON");
  }
}

// What a page asks for.

async function requireContinuation(tiles, now, before) {
  if (before.origin !== now.origin) {
    throw new Refusal("forked", `this browser knows the log ${before.origin} here, and now it is ${now.origin}`);
  }
  if (before.size > now.size) {
    throw new Refusal("rolled-back", `the ledger had ${before.size} entries and now has ${now.size}`);
  }
  if (before.size === 0) {
    return;
  }
  if (before.size === now.size) {
    if (!equal(before.root, now.root)) {
      throw new Refusal("forked", `there are two ledgers of ${now.size} entries`);
    }
    return;
  }
  const proof = await consistencyProof(tiles, before.size, now.size);
  const [seenOld, seenNew] = await rootsOfConsistency(before.size, now.size, proof);
  if (!equal(seenNew, now.root)) {
    throw new Refusal("tile", "the tiles don't lead to the root that was signed");
  }
  if (!equal(seenOld, before.root)) {
    throw new Refusal("forked", `the first ${before.size} entries aren't those that this browser saw before`);
  }
}

async function openRemembered(remembered) {
  try {
    return await openCheckpoint(encodeText(remembered.note), remembered.key);
  } catch (error) {
    if (error.code === "unsupported") {
      throw error;
    }
    throw new Refusal("memory", `what this browser remembers of the ledger can't be read: ${error.message}`);
  }
}

/** Checks the newest checkpoint: its signature, and that it continues the remembered one.
 *
 * `read(path)` gives the bytes of a public file, or null. `remembered` is what an earlier check answered as `remember`,
 * or null. Answers the checkpoint, what to remember, and how large the ledger was before (null if it wasn't known).
 */
export async function checkLedger({ read, key, remembered = null }) {
  const { checkpoint, note } = await readCheckpoint(read, key);
  const before = remembered === null ? null : await openRemembered(remembered);
  const tiles = new Tiles(read, checkpoint.size);
  if (before !== null) {
    await requireContinuation(tiles, checkpoint, before);
  }
  return {
    tiles,
    size: checkpoint.size,
    root: toBase64(checkpoint.root),
    origin: checkpoint.origin,
    before: before === null ? null : before.size,
    keyChanged: remembered !== null && remembered.key !== key,
    remember: { note, key },
    checkpoint,
  };
}

async function readCheckpoint(read, key) {
  const bytes = await read("checkpoint");
  if (bytes === null) {
    throw new Refusal("missing", "the ledger has no checkpoint");
  }
  const checkpoint = await openCheckpoint(bytes, key);
  return { checkpoint, note: decodeText(bytes, "checkpoint", "the checkpoint") };
}

/** Checks one entry besides: that it is in the signed ledger at `index`, canonical, and exactly the text `shown`. */
export async function checkEntry({ read, key, index, shown, remembered = null }) {
  const found = await checkLedger({ read, key, remembered });
  const { checkpoint, tiles } = found;
  if (!Number.isSafeInteger(index) || index < 0 || index >= checkpoint.size) {
    throw new Refusal("index", `the ledger has ${checkpoint.size} entries, counted from 0; there is no entry ${index}`);
  }
  const entry = await readEntry(read, index, checkpoint.size);
  const proof = await inclusionProof(tiles, index, checkpoint.size);
  const root = await rootOfInclusion(await leafHash(entry), index, checkpoint.size, proof);
  if (!equal(root, checkpoint.root)) {
    throw new Refusal("inclusion", `entry ${index} isn't what the signed root holds at its place`);
  }
  const text = decodeText(entry, "canonical", "the entry");
  requireCanonical(text);
  if (text !== shown) {
    throw new Refusal("shown", "the entry in the ledger isn't the one that this page shows");
  }
  return { ...found, hashes: proof.length };
}

/** Reads a ledger's public files below an address of this server. */
export function readerOf(base) {
  return async (path) => {
    let response;
    try {
      // A checkpoint that the browser kept would hide that the ledger has moved on, or back.
      response = await fetch(`${base}${path}`, { cache: path === "checkpoint" ? "no-store" : "default" });
    } catch (error) {
      throw new Refusal("unreachable", `the server didn't answer: ${error.message}`);
    }
    if (response.status === 404) {
      return null;
    }
    if (!response.ok) {
      throw new Refusal("unreachable", `the server answered ${response.status}`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length > MAX_FILE_BYTES) {
      throw new Refusal("bundle", `${path} is longer than any file of a ledger`);
    }
    return bytes;
  };
}
