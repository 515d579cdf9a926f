import { type Notice, post, titleOf, type Way } from "./alarms.ts";

/** A notice as people read it in a chat. */
const textOf = (notice: Notice): string => `${titleOf(notice)}\n${notice.message}`;

/** Nothing is sent where there is no address. It is read each time. */
export function bySlack(address: () => string | undefined): Way {
  // What Slack itself takes for a mention or a link.
  const plain = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return chat("slack", address, (notice) => ({ text: plain(textOf(notice)) }));
}

/** As bySlack. A message of Discord's has no more than 2000 characters, and nobody is mentioned by what is in it. */
export function byDiscord(address: () => string | undefined): Way {
  return chat("discord", address, (notice) => ({
    content: textOf(notice).slice(0, 2000),
    allowed_mentions: { parse: [] },
  }));
}

/**
 * As bySlack: a bot of Telegram's writes into a chat. A message has no more than 4096 characters.
 * @param server @default Telegram's own
 */
export function byTelegram(id: string, token: () => string | undefined, server = "https://api.telegram.org"): Way {
  const address = () => {
    const secret = token();
    return secret === undefined ? undefined : `${server}/bot${secret}/sendMessage`;
  };
  return chat("telegram", address, (notice) => ({ chat_id: id, text: textOf(notice).slice(0, 4096) }));
}

function chat(name: string, address: () => string | undefined, body: (notice: Notice) => object): Way {
  const send = async (notice: Notice): Promise<void> => {
    const to = address();
    if (to !== undefined) await post(to, body(notice));
  };
  return { name, send };
}
