// Unsent forms of a new assessment, in this browser's own database, each encrypted with a key of its own. This tab keeps that
// key, and beside the form it lies sealed to the account's public key: once the browser was closed, or for the next person at
// it, only a sign-in to that account opens the form again. Over plain http browsers have no cryptography, and the form itself
// crosses the network in the clear: there it is kept as it is.
const NAME = "trabecula", VERSION = 2, FORMS = "forms", PICTURES = "pictures";
const CURVE = { name: "ECDH", namedCurve: "P-256" }, CIPHER = { name: "AES-GCM", length: 256 };
const TAB_KEYS = "draft-keys", LOCK = "draft-lock";
const subtle = globalThis.crypto?.subtle;
const DAY_MS = 86_400_000;

function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, VERSION);
    opening.onupgradeneeded = () => {
      const database = opening.result;
      for (const earlier of [...database.objectStoreNames]) database.deleteObjectStore(earlier);
      for (const name of [FORMS, PICTURES]) database.createObjectStore(name);
    };
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction([FORMS, PICTURES], mode);
      const request = work(transaction.objectStore(FORMS), transaction.objectStore(PICTURES));
      transaction.oncomplete = () => { database.close(); resolve(request?.result); };
      transaction.onabort = () => { database.close(); reject(transaction.error); };
    };
  });
}

// Keys ------------------------------------------------------------------------------------------------------------
const parsed = (area, name) => JSON.parse(area.getItem(name) || "null");
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
let opener = null; // the private key of the account that is signed in, never stored

// What a session says of its account: from now on forms are sealed to it, and those that were sealed before can be opened.
export function unlock(account, pair) {
  if (!account || !pair || !subtle) return;
  const { d, ...open } = pair;
  opener = pair;
  localStorage.setItem(LOCK, JSON.stringify({ account, open }));
}

const lock = () => parsed(localStorage, LOCK);

function remember(id, key) {
  const keys = parsed(sessionStorage, TAB_KEYS) ?? {};
  if (key) keys[id] = base64(key); else delete keys[id];
  sessionStorage.setItem(TAB_KEYS, JSON.stringify(keys));
}

const inTab = (id) => { const key = parsed(sessionStorage, TAB_KEYS)?.[id]; return key && fromBase64(key); };

const imported = (key) => subtle.importKey("raw", key, CIPHER, false, ["encrypt", "decrypt"]);

async function encrypted(key, content) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { iv, content: await subtle.encrypt({ ...CIPHER, iv }, await imported(key), content) };
}

const decrypted = async (key, { iv, content }) => subtle.decrypt({ ...CIPHER, iv }, await imported(key), content);

async function shared(open, secret) {
  const publicKey = await subtle.importKey("jwk", open, CURVE, false, []);
  return subtle.deriveBits({ name: "ECDH", public: publicKey }, secret, 256);
}

async function sealed(key) {
  if (!lock()) return null;
  const once = await subtle.generateKey(CURVE, false, ["deriveBits"]);
  const box = await encrypted(await shared(lock().open, once.privateKey), key);
  return { ...box, open: await subtle.exportKey("jwk", once.publicKey) };
}

async function unsealed(box) {
  const secret = await subtle.importKey("jwk", opener, CURVE, false, ["deriveBits"]);
  return new Uint8Array(await decrypted(await shared(box.open, secret), box));
}

// Drafts ----------------------------------------------------------------------------------------------------------
let picture = null; // the last one that was kept, and with which form: it has megabytes, and stays while fields change

// A draft: {account, patient: id or "", fields: [[name, value]], image: File or null, key: its idempotency key, waiting: to
// be sent}. The tab that works on a form holds a lock of its key, so that no other tab takes the same form up. Over plain
// http browsers have no locks: there a form that is taken up gets another key, and is sent twice at worst.
const held = new Set();
export const canHold = Boolean(navigator.locks);
export function hold(key) {
  if (held.has(key)) return Promise.resolve(true);
  if (!canHold) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks.request(`draft:${key}`, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      if (!lock) return undefined;
      held.add(key);
      return new Promise(() => {}); // until the tab is closed
    }).catch(() => resolve(false));
  });
}

async function isFree(key) {
  if (held.has(key) || !canHold) return true;
  return !(await navigator.locks.query()).held.some((lock) => lock.name === `draft:${key}`);
}

export async function keep(draft) {
  try {
    const { image, ...rest } = draft, id = draft.key, at = Date.now();
    const isNew = picture?.id !== id || picture.image !== image;
    const file = image && { name: image.name, type: image.type };
    let form = { id, at, account: draft.account ?? "", plain: rest, file }, content = image;
    if (subtle) {
      const key = inTab(id) ?? crypto.getRandomValues(new Uint8Array(32));
      remember(id, key);
      const words = new TextEncoder().encode(JSON.stringify({ ...rest, file }));
      form = { id, at, account: draft.account ?? lock()?.account ?? "", form: await encrypted(key, words), box: await sealed(key) };
      if (image && isNew) content = await encrypted(key, await image.arrayBuffer());
    }
    await store("readwrite", (forms, pictures) => {
      forms.put(form, id);
      if (isNew && image) pictures.put(content, id);
      else if (!image) pictures.delete(id);
    });
    picture = { id, image };
  } catch { /* a browser that keeps nothing, as in a private window */ }
}

// The oldest form that can be opened here and now, and that no other tab works on: the patient's own; where the page is of
// no patient, any patient's.
export async function kept(patient) {
  try {
    const forms = await store("readonly", (all) => all.getAll());
    for (const form of forms.sort((one, other) => one.at - other.at)) {
      const draft = (await isFree(form.id)) && (await opened(form));
      if (draft && (!patient || draft.patient === patient)) return { ...draft, at: form.at };
      if (draft) continue;
      if (!form.account && Date.now() - form.at > DAY_MS) await forget(form.id); // of a tab that is no more
    }
  } catch { /* the same */ }
  return undefined;
}

async function opened(form) {
  const content = await store("readonly", (_, pictures) => pictures.get(form.id));
  if (form.plain) return { ...form.plain, image: content && new File([content], form.file.name, form.file) };
  try {
    const key = inTab(form.id) ?? (opener && form.box && await unsealed(form.box));
    if (!key) return null;
    const { file, ...draft } = JSON.parse(new TextDecoder().decode(await decrypted(key, form.form)));
    remember(form.id, key);
    return { ...draft, image: file && content ? new File([await decrypted(key, content)], file.name, file) : null };
  } catch {
    return null; // of another account
  }
}

export async function forget(id) {
  remember(id, null);
  await store("readwrite", (forms, pictures) => { forms.delete(id); pictures.delete(id); }).catch(() => {});
}

export async function forgetAll() {
  localStorage.removeItem(LOCK);
  sessionStorage.removeItem(TAB_KEYS);
  await store("readwrite", (forms, pictures) => { forms.clear(); pictures.clear(); }).catch(() => {});
}

// Whoever signs in next on a shared computer does not even keep what somebody else has typed.
export async function forgetOthers(account) {
  const forms = await store("readonly", (all) => all.getAll()).catch(() => []);
  for (const form of forms) if (form.account && form.account !== account) await forget(form.id);
}
