// Markdown as elements of the page. No HTML is ever made of a text: tags, links and pictures in it stay text.

import { Marked, type Token, type Tokens } from "marked";
import type { ComponentChildren, VNode } from "preact";

/** What a bracket, `[…]`, becomes; nothing if it is only text. */
export type Bracket = (text: string) => ComponentChildren | undefined;

const BRACKET = /^\[((?:[^[\]\n]|\[[^[\]\n]*\]){1,500})\](?:\([^()\s]*\))?/;

export function Markdown({ text, bracket }: { text: string; bracket: Bracket }): VNode {
  return <div class="markdown">{blocks(reader(bracket).lexer(text))}</div>;
}

function reader(bracket: Bracket): Marked {
  return new Marked({
    gfm: true,
    breaks: true,
    extensions: [
      {
        name: "bracket",
        level: "inline",
        start: (source) => {
          const at = source.indexOf("[");
          return at < 0 ? undefined : at;
        },
        tokenizer: (source) => {
          const found = BRACKET.exec(source);
          const made = found && bracket(found[1]!);
          return found && made ? { type: "bracket", raw: found[0], made } : undefined;
        },
      },
    ],
  });
}

function blocks(tokens: Token[]): ComponentChildren {
  return tokens.map((token) => block(token));
}

function block(token: Token): ComponentChildren {
  switch (token.type) {
    case "heading":
      return heading(token as Tokens.Heading);
    case "paragraph":
      return <p>{inline(token)}</p>;
    case "text":
      return inline(token);
    case "list":
      return list(token as Tokens.List);
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [])}</blockquote>;
    case "code":
      return (
        <pre tabIndex={0}>
          <code>{token.text}</code>
        </pre>
      );
    case "table":
      return table(token as Tokens.Table);
    case "hr":
      return <hr />;
    case "space":
    case "def":
      return null;
    default:
      return <p>{token.raw}</p>; // HTML among them: as text
  }
}

/** Below the page's own headings: an answer's first level is the page's fourth. */
function heading(token: Tokens.Heading): VNode {
  const Level = `h${Math.min(token.depth + 3, 6)}` as "h4";
  return <Level>{inline(token)}</Level>;
}

function list(token: Tokens.List): VNode {
  const items = token.items.map((item) => <li>{blocks(item.tokens)}</li>);
  return token.ordered ? <ol start={Number(token.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function table(token: Tokens.Table): VNode {
  const cell = (one: Tokens.TableCell) => pieces(one.tokens);
  return (
    <div class="wide" tabIndex={0}>
      <table>
        <thead>
          <tr>{token.header.map((one) => <th scope="col">{cell(one)}</th>)}</tr>
        </thead>
        <tbody>
          {token.rows.map((row) => (
            <tr>{row.map((one) => <td class={one.align ? `to-${one.align}` : undefined}>{cell(one)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function inline(token: Token): ComponentChildren {
  return "tokens" in token && token.tokens ? pieces(token.tokens) : (token as Tokens.Text).text;
}

function pieces(tokens: Token[]): ComponentChildren {
  return tokens.map((token) => piece(token));
}

function piece(token: Token): ComponentChildren {
  switch (token.type) {
    case "bracket":
      return (token as Tokens.Generic).made as ComponentChildren;
    case "strong":
      return <strong>{inline(token)}</strong>;
    case "em":
      return <em>{inline(token)}</em>;
    case "del":
      return <del>{inline(token)}</del>;
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "text":
      return inline(token);
    case "escape":
      return token.text;
    default:
      return token.raw; // links, pictures, HTML: as they are written
  }
}
