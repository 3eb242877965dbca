/** Names in other letter cases. */

/** Lower case; each run of other characters than letters and digits becomes one `_`. `Order Completed` → `order_completed`. */
export function snakeCase(text: string): string {
  return text.toLowerCase().replaceAll(notWord, '_');
}

/** As `snakeCase`, with `-`. */
export function kebabCase(text: string): string {
  return text.toLowerCase().replaceAll(notWord, '-');
}

/** Each word begins with a capital and goes on in lower case; what is between words stays. `test string` → `Test String`. */
export function titleCase(text: string): string {
  return text.toLowerCase().replaceAll(wordStart, (letter) => letter.toUpperCase());
}

const notWord = /[^\p{L}\p{M}\p{N}]+/gu;
// Not after a letter, digit or apostrophe: "don't" is one word.
const wordStart = /(?<![\p{L}\p{M}\p{N}'’])\p{L}/gu;
