// One gRPC channel to the participant, kept connected, that never sends anything twice.
import { Client, connectivityState, credentials } from '@grpc/grpc-js';
import { ConfigError } from '../core/errors.js';
import { backoffMs } from '../protocol/backoff.js';
import { monotonic } from '../runtime/clock.js';
import { type TlsFiles, tlsSecurity } from './tls.js';
import { isLoopback, parseCantonUrl } from './url.js';

export interface ChannelOptions {
  /** `host:port` in plaintext, `https://host:port` for TLS. */
  readonly url: string;
  readonly tls?: TlsFiles;
}

export interface LedgerChannel {
  readonly client: Client;
  /** READY in this tick. Asked right before a submission, it is what "not sent" means. */
  ready(): boolean;
  onReady(listener: (ready: boolean) => void): () => void;
  close(): void;
}

/** As canton-middleware sets it; a participant itself takes 10 MiB, but sends what a party's contracts come to. */
const MAX_MESSAGE_BYTES = 50 * 1024 * 1024;

/** In ms. */
export interface ChannelTimes {
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
  readonly connectMs: number;
}

const TIMES: ChannelTimes = {
  // Canton lets a client ping every 20 s while calls are open, and pings every 40 s itself. Idle pings it refuses.
  keepaliveMs: 40_000,
  keepaliveTimeoutMs: 20_000,
  // A participant that comes back is found within seconds; one that stays away costs one attempt in three.
  reconnectMinMs: 250,
  reconnectMaxMs: 3_000,
  // The least that gRPC allows an attempt. grpc-js allows it for ever: where a connection is taken and nobody speaks on
  // it (a network that swallows, a process that is paused), it would never try another.
  connectMs: 20_000,
};

const OPTIONS = {
  // A submission leaves once (rule 3): no retries, transparent ones (REFUSED_STREAM) included, whatever a DNS record says.
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // Not shared with another channel of this process: what this one sees of its connection is its own.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.keepalive_permit_without_calls': 0,
  // Behind a name that moves (a failover), the default would ask DNS again after 30 s only.
  'grpc.dns_min_time_between_resolutions_ms': 3_000,
  'grpc.client_idle_timeout_ms': 2 ** 31 - 1,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
};

export function openChannel(options: ChannelOptions, times: ChannelTimes = TIMES): LedgerChannel {
  const url = parseCantonUrl(options.url);
  if (url === null) {
    throw new ConfigError([
      `CANTON_URL is ${JSON.stringify(options.url)}: give host:port, or https://host:port for TLS`,
    ]);
  }
  const { host, port, tls } = url;
  const target = `dns:${host}:${port}`;
  const security = tls ? tlsSecurity(options.tls ?? {}) : null;
  const insecure = credentials.createInsecure();
  const connect = (): Client =>
    new Client(target, security?.current() ?? insecure, {
      ...OPTIONS,
      'grpc.keepalive_time_ms': times.keepaliveMs,
      'grpc.keepalive_timeout_ms': times.keepaliveTimeoutMs,
      'grpc.initial_reconnect_backoff_ms': times.reconnectMinMs,
      'grpc.max_reconnect_backoff_ms': times.reconnectMaxMs,
      // A proxy of the environment cannot know this machine's own loopback.
      'grpc.enable_http_proxy': isLoopback(host) ? 0 : 1,
    });
  let client = connect();
  const listeners = new Set<(ready: boolean) => void>();
  const keep = (): (() => void) =>
    keepConnected(client.getChannel(), times, {
      changed(now) {
        for (const listener of [...listeners]) listener(now);
      },
      renewed: () => security?.renewed() ?? false,
      replace() {
        stop();
        client.close();
        client = connect();
        stop = keep();
      },
    });
  let stop = keep();
  return {
    get client() {
      return client;
    },
    ready: () => client.getChannel().getConnectivityState(false) === connectivityState.READY,
    onReady(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      stop();
      client.close();
    },
  };
}

/** A connection that lasted no longer was taken and dropped: the next attempt waits, as after a refused one. */
const LASTING_MS = 5_000;

/**
 * A channel falls to IDLE with its connection and would stay there until the next call, which is then no longer
 * ready: so it is kicked at every change of state. Tells each change between READY and not, and asks for another channel
 * when it was not READY for so long that the attempt under way is given up, or the next one has other certificates.
 */
function keepConnected(
  channel: ReturnType<Client['getChannel']>,
  times: ChannelTimes,
  tell: { changed(ready: boolean): void; renewed(): boolean; replace(): void },
): () => void {
  let begun = false;
  let stopped = false;
  let wasReady = false;
  let readySince = 0;
  let dropped = 0;
  let patience: NodeJS.Timeout | undefined;
  let kick: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (stopped) return;
    const state = channel.getConnectivityState(false);
    if (state === connectivityState.SHUTDOWN) return;
    // Watched before anything else is done: no change in between goes unseen.
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
    const isReady = state === connectivityState.READY;
    if (isReady) {
      clearTimeout(patience);
      patience = undefined;
      if (!wasReady) readySince = monotonic.elapsed();
    } else {
      patience ??= setTimeout(tell.replace, times.connectMs).unref();
      if (wasReady) dropped = monotonic.elapsed() - readySince < LASTING_MS ? dropped + 1 : 0;
    }
    if (isReady !== wasReady) {
      wasReady = isReady;
      tell.changed(isReady);
    }
    if (begun && !isReady && !stopped && tell.renewed()) tell.replace();
    else if (state === connectivityState.IDLE) again();
  };
  const connect = (): void => {
    if (!stopped) channel.getConnectivityState(true);
  };
  /** gRPC's own backoff begins anew with each connection, however short it was. */
  const again = (): void => {
    clearTimeout(kick);
    if (dropped < 2) {
      connect();
      return;
    }
    const wait = { minMs: times.reconnectMinMs, maxMs: times.reconnectMaxMs };
    kick = setTimeout(connect, backoffMs(dropped - 1, wait, Math.random)).unref();
  };
  look();
  begun = true;
  return () => {
    stopped = true;
    clearTimeout(patience);
    clearTimeout(kick);
    if (wasReady) tell.changed(false);
  };
}
