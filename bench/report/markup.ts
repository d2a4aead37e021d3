/** HTML that is safe by construction: what is put into a template is text, and escaped, unless it is Html already. */
export interface Html {
  readonly html: string;
}

type Content = string | number | Html | readonly Html[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function toHtml(content: Content): string {
  if (typeof content === 'string' || typeof content === 'number') {
    return String(content).replace(/[&<>"']/g, (character) => ENTITIES[character]);
  }
  return 'html' in content ? content.html : content.map((part) => part.html).join('\n');
}

/** html`<td>${text}</td>`: the literal parts are markup, the values are content. */
export const html = (strings: TemplateStringsArray, ...values: readonly Content[]): Html => ({
  html: String.raw({ raw: strings }, ...values.map(toHtml)),
});

/** Text that is markup already: a stylesheet or a script of our own. */
export const trusted = (text: string): Html => ({ html: text });

/** A value as a literal inside a script element: no "<" is left that could end the element or open a comment. */
export const scriptLiteral = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');
