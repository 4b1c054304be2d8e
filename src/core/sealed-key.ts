/**
 * A party's private key as `users` stores it: encrypted, and still not to be dumped. It is opened only while one signature
 * is made, and shows nothing of itself to JSON, a log or an inspector.
 */
export class SealedKey {
  readonly #text: string;
  /** Base64 of nonce, ciphertext and tag, as canton-middleware writes it. */
  constructor(text: string) {
    this.#text = text;
  }
  reveal(): string {
    return this.#text;
  }
}
