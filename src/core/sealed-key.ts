/**
 * A party's private key as `users` stores it: encrypted, and yet for no dump. It is opened for the length of one
 * signature, and shows nothing of itself to JSON, a log or an inspector.
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
