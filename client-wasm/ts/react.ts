/**
 * Hooks for React 18 and newer. They need no provider: give them the client, or nothing as long as there is none yet.
 *
 * A server renders what they have before the first message: `connecting`, and no messages.
 */

import { useMemo, useSyncExternalStore } from "react";
import type { Client } from "./client.js";
import type { PetasusError } from "./error.js";
import type { Message } from "./message.js";
import type { Status } from "./status.js";
import type { SubscribeOptions, Subscription } from "./subscription.js";
import type { Topic } from "./topic.js";

/** Where a client comes from may take its time; so a hook takes none as well. */
export type MaybeClient = Client | null | undefined;

/** What `useSubscription` can be told, besides what `client.subscribe` can. */
export interface UseSubscriptionOptions extends Omit<SubscribeOptions, "signal"> {
  /** How many of the latest messages are kept, by default 100. Older ones are let go. */
  keep?: number;
}

/** What a component knows of its subscription. */
export interface SubscriptionState<T> {
  /** The latest messages, oldest first. */
  readonly messages: readonly Message<T>[];
  /** The latest message. */
  readonly last: Message<T> | undefined;
  /** Whether the broker has confirmed the subscription: what is published from now on arrives. */
  readonly ready: boolean;
  /** Why nothing will arrive any more, or never did. */
  readonly error: PetasusError | undefined;
}

const NO_STATUS: Status = { state: "connecting" };
const NO_MESSAGES: SubscriptionState<never> = { messages: [], last: undefined, ready: false, error: undefined };
const KEEP = 100;

/** The status of a client, anew at every change; `connecting` while there is no client. */
export function useStatus(client: MaybeClient): Status {
  const store = useMemo(
    () => ({
      subscribe: (changed: () => void) => client?.on("status", changed) ?? nothing,
      status: () => client?.status ?? NO_STATUS,
    }),
    [client],
  );
  return useSyncExternalStore(store.subscribe, store.status, noStatus);
}

/**
 * Subscribes to a topic as long as the component is mounted, and renders it when messages have come: once for all that
 * came together. Another client, topic or option is another subscription, which begins without messages.
 */
export function useSubscription<T = unknown>(
  client: MaybeClient,
  topic: Topic,
  options: UseSubscriptionOptions = {},
): SubscriptionState<T> {
  // Components write options anew at every rendering; what counts is what is in them.
  const said = JSON.stringify([topic, options]);
  const store = useMemo(() => messageStore<T>(client, ...(JSON.parse(said) as [Topic, UseSubscriptionOptions])), [client, said]);
  return useSyncExternalStore(store.subscribe, store.state, noMessages);
}

function messageStore<T>(client: MaybeClient, topic: Topic, { keep = KEEP, ...options }: UseSubscriptionOptions) {
  let state: SubscriptionState<T> = NO_MESSAGES;
  let waiting: Message<T>[] = [];
  return {
    state: () => state,
    subscribe(changed: () => void): () => void {
      if (!client) return nothing;
      state = NO_MESSAGES;
      let mounted = true;
      const change = (difference: Partial<SubscriptionState<T>>) => {
        if (!mounted) return;
        state = { ...state, ...difference };
        changed();
      };
      const take = () => {
        const all = [...state.messages, ...waiting];
        const messages = all.slice(Math.max(all.length - keep, 0));
        const last = waiting[waiting.length - 1] ?? state.last;
        waiting = [];
        change({ messages, last });
      };
      let subscription: Subscription<T> | undefined;
      // Not in the middle of what React does.
      const failed = (error: PetasusError) => queueMicrotask(() => change({ error, ready: false }));
      try {
        subscription = client.subscribe<T>(
          topic,
          (message) => {
            // Messages come one by one, but those of one turn are shown at once.
            if (waiting.push(message) == 1) queueMicrotask(take);
          },
          options,
        );
        subscription.ready.then(() => change({ ready: true }), nothing);
        // Messages go to the listener; here it ends.
        subscription.next().catch(failed);
      } catch (error) {
        failed(error as PetasusError);
      }
      return () => {
        mounted = false;
        waiting = [];
        void subscription?.unsubscribe();
      };
    },
  };
}

const nothing = () => {};
const noStatus = () => NO_STATUS;
const noMessages = () => NO_MESSAGES;
