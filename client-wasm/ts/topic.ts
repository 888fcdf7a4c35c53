/** How topics are written. */

import { PetasusError } from "./error.js";

/**
 * A topic: `news/sport` and `news.sport` are the same on every wire. A list of segments is one too, for those that hold
 * dots.
 */
export type Topic = string | readonly string[];

/** The slash form. @throws PetasusError `topic` */
export function topicOf(topic: Topic): string {
  if (Array.isArray(topic)) return topic.join("/");
  if (typeof topic != "string") throw new PetasusError("topic", "the topic can not be used: it is a text, or a list of texts");
  if (!topic.includes(".")) return topic;
  if (topic.includes("/")) {
    throw new PetasusError(
      "topic",
      `the topic "${topic}" can not be used: it has slashes and dots: write only one of them, or give a list of segments`,
    );
  }
  return topic.replaceAll(".", "/");
}
