/** A name in SQL, quoted or not; bytes, one a character. */
export const NAME = '(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"|[0-9A-Za-z_$\\x80-\\xff]+)';
/** What may stand between two words: an author's comment too, which the server keeps. Others are run. */
const GAP = "(?:\\s|/\\*(?!M?!)(?:[^*]|\\*(?!/))*\\*/|(?:#|--(?=\\s))[^\\n]*\\n)";

const QUALIFIED = `(${NAME}${GAP}*\\.${GAP}*)?(${NAME})`;

/**
 * A trigger's beginning, which servers keep as it was written. Groups: the schema of the trigger, where it is named,
 * its name, when it comes, the schema of the table, its name, and what goes on.
 */
export const TRIGGER_HEAD =
  `TRIGGER${GAP}*(?:IF${GAP}+NOT${GAP}+EXISTS${GAP}*)?${QUALIFIED}` +
  `${GAP}*((?:BEFORE|AFTER)${GAP}+(?:INSERT|UPDATE|DELETE))${GAP}+ON${GAP}*${QUALIFIED}(${GAP}*FOR${GAP})`;
