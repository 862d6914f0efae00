/* Where the key comes from: the environment, or a file that nobody else can read. Never an argument, never a line. */

type KeyFile = { readonly mode: number; readonly text: string };

export type KeySource = {
  /** BALLAST_KEEPER_KEY. */
  readonly fromEnvironment: string | undefined;
  readonly file: KeyFile | undefined;
};

export type KeyResult =
  { readonly ok: true; readonly key: string } | { readonly ok: false; readonly problem: string };

const OTHERS = 0o077;

export function loadKey({ fromEnvironment, file }: KeySource): KeyResult {
  if (fromEnvironment !== undefined && fromEnvironment !== "") return checked(fromEnvironment);
  if (file === undefined)
    return { ok: false, problem: "no key: set BALLAST_KEEPER_KEY or name a file" };
  if ((file.mode & OTHERS) !== 0) {
    return { ok: false, problem: "others can read the key file: its mode must be 0600" };
  }
  return checked(file.text);
}

function checked(text: string): KeyResult {
  const key = text.trim();
  const isKey = /^(0x)?[0-9a-fA-F]{64}$/.test(key);
  return isKey ? { ok: true, key } : { ok: false, problem: "the key is not 32 bytes of hex" };
}
