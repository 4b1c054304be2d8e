// Checks and decodes raw signed transactions exactly as canton-middleware's eth_sendRawTransaction does, so that the
// row is the one its API would have inserted.
import type { Hex } from 'viem';
import { ConfigError } from '../../core/errors.js';
import type { Tokens } from '../../core/token.js';
import type { NewRow } from '../../store/operator/enqueue.js';
import { tokenKey } from '../../transfer/address.js';

export type Decoded =
  | { readonly kind: 'ok'; readonly txHash: Hex; readonly row: NewRow }
  /** `txHash`: null if it is not bytes at all, or too many. */
  | { readonly kind: 'refused'; readonly reason: string; readonly txHash: Hex | null };

export interface DecodeRules {
  readonly chainId: number;
  readonly tokens: Tokens;
}

class Refused extends Error {}

/** What an Ethereum node accepts. */
const MAX_BYTES = 128 * 1024;
export const TOO_LONG = `longer than ${MAX_BYTES} bytes`;
/** The most characters that may be accepted, with some room for spaces. */
export const MAX_TEXT = 2 * MAX_BYTES + 1_024;
/** transfer(address,uint256) */
export const TRANSFER_SELECTOR = '0xa9059cbb';
const WORD = 64;
/**
 * Half the order of secp256k1: anybody can make a second signature from the first, and Ethereum accepts only the
 * lower of the two.
 */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const SUPPORTED = new Set(['legacy', 'eip2930', 'eip1559']);

/** viem is optional: only `enqueue` needs an Ethereum library. */
export async function loadViem(): Promise<typeof import('viem')> {
  try {
    return await import('viem');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError(['this command needs viem, which is not installed: run npm install viem']);
  }
}

export async function createDecoder({
  chainId,
  tokens,
}: DecodeRules): Promise<(raw: string) => Promise<Decoded>> {
  const viem = await loadViem();

  const parse = (raw: Hex): ReturnType<typeof viem.parseTransaction> => {
    try {
      return viem.parseTransaction(raw);
    } catch (error) {
      throw new Refused(
        `not an encoded transaction: ${error instanceof Error ? error.message.split('\n')[0] : error}`,
      );
    }
  };

  const take = async (raw: Hex): Promise<Decoded> => {
    const tx = parse(raw);
    if (!SUPPORTED.has(tx.type ?? '')) throw new Refused(`transactions of type ${tx.type} are not supported`);
    const { r, s, v, yParity } = tx;
    if (r === undefined || s === undefined) throw new Refused('not signed');
    // Several encodings of one transaction would give one transfer several hashes.
    const signature = {
      r,
      s,
      ...(v === undefined ? {} : { v }),
      ...(yParity === undefined ? {} : { yParity }),
    };
    const again = viem.serializeTransaction(
      tx as Parameters<typeof viem.serializeTransaction>[0],
      signature as never,
    );
    if (again !== raw) throw new Refused('not the canonical encoding of a transaction');
    if (tx.chainId === undefined) throw new Refused('signed without a chain id (EIP-155 is required)');
    if (tx.chainId !== chainId) throw new Refused(`signed for chain ${tx.chainId}, not ${chainId}`);
    if (BigInt(s) > HALF_ORDER) throw new Refused('the signature is not the lower of two (EIP-2)');
    const from = await viem
      .recoverTransactionAddress({ serializedTransaction: raw as never })
      .catch(() => Promise.reject(new Refused('the signature is not valid')));

    if (!tx.to) throw new Refused('it deploys a contract');
    if ((tx.value ?? 0n) !== 0n) throw new Refused('it sends native coins, but its value must be 0');
    if (!tokens.has(tokenKey(tx.to)))
      throw new Refused(`${viem.getAddress(tx.to)} is not a token in TOKENS_FILE`);
    const input = tx.data ?? '0x';
    const { recipient, amount } = transferCall(input);
    const txHash = viem.keccak256(raw);
    return {
      kind: 'ok',
      txHash,
      row: {
        txHash: bytes(txHash),
        fromAddress: viem.getAddress(from),
        contractAddress: viem.getAddress(tx.to),
        recipientAddress: viem.getAddress(recipient),
        nonce: BigInt(tx.nonce ?? 0),
        input: bytes(input),
        amountData: minimal(amount),
      },
    };
  };

  return async (raw) => {
    let hex: Hex | null = null;
    try {
      hex = hexOf(raw);
      return await take(hex);
    } catch (error) {
      // Anything else the library throws concerns these bytes alone: the next ones may be fine.
      const reason =
        error instanceof Refused
          ? error.message
          : `cannot be read: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
      return { kind: 'refused', reason, txHash: hex === null ? null : viem.keccak256(hex) };
    }
  };
}

function hexOf(text: string): Hex {
  const hex = text
    .trim()
    .toLowerCase()
    .replace(/^(0x)?/, '0x');
  // Checked before any pattern is matched, because matching uses a stack frame per byte.
  if (hex.length > 2 + 2 * MAX_BYTES) throw new Refused(TOO_LONG);
  if (hex.length % 2 !== 0 || !/^0x[0-9a-f]{2}[0-9a-f]*$/.test(hex))
    throw new Refused('not hexadecimal bytes');
  return hex as Hex;
}

/**
 * Two words after the selector. Anything after them is ignored, as in the API. Only stray bytes before the address
 * are refused: there is no telling what the wallet meant.
 */
function transferCall(input: Hex): { recipient: Hex; amount: bigint } {
  if (!input.startsWith(TRANSFER_SELECTOR)) throw new Refused('it does not call transfer(address,uint256)');
  const words = input.slice(TRANSFER_SELECTOR.length);
  if (words.length < 2 * WORD) throw new Refused('the arguments of transfer are cut off');
  if (!/^0{24}/.test(words)) throw new Refused('the recipient of transfer is not an address');
  return { recipient: `0x${words.slice(24, WORD)}`, amount: BigInt(`0x${words.slice(WORD, 2 * WORD)}`) };
}

const bytes = (hex: Hex): Uint8Array => Buffer.from(hex.slice(2), 'hex');

/** Big-endian, no leading zeros, empty for 0, like Go's `big.Int.Bytes`. */
function minimal(amount: bigint): Uint8Array {
  const hex = amount === 0n ? '' : amount.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
}
