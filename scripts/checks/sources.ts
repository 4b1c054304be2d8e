// The repository's TypeScript as the checks look at it: paths, imports, and text with comments and strings apart.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export interface Source {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** A file of the repository, relative to it; null for a package. */
  readonly file: string | null;
  readonly specifier: string;
  /** `import()`: loaded when it is needed, and not before. */
  readonly dynamic: boolean;
}

/** One thing that is not as it should be; `path` so that exceptions can name it. */
export interface Problem {
  readonly path: string;
  readonly what: string;
}

export function readSources(root: string, folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
      .map((entry) => {
        const file = path.join(entry.parentPath, entry.name);
        return {
          path: path.relative(root, file).split(path.sep).join('/'),
          text: readFileSync(file, 'utf8'),
        };
      }),
  );
}

/** What is not TypeScript; a file that is missing is an error. */
export const readFiles = (root: string, paths: readonly string[]): Source[] =>
  paths.map((file) => ({ path: file, text: readFileSync(path.join(root, file), 'utf8') }));

/** Type imports too: they bind two files together as much as others do. */
export function importsOf({ path: from, text }: Source): Import[] {
  const found: Import[] = [];
  const add = (specifier: string, dynamic: boolean): void => {
    const relative = specifier.startsWith('.');
    const file = relative
      ? path.posix.join(path.posix.dirname(from), specifier).replace(/\.js$/, '.ts')
      : null;
    found.push({ file, specifier, dynamic });
  };
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      add((node.moduleSpecifier as ts.StringLiteral).text, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add((node.argument.literal as ts.StringLiteral).text, true);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteral(argument)) add(argument.text, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed(from, text));
  return found;
}

/** What stands in quotes or backticks. */
export function stringsOf({ path: file, text }: Source): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) found.push(node.text);
    if (ts.isTemplateExpression(node)) {
      found.push([node.head.text, ...node.templateSpans.map((span) => span.literal.text)].join('x'));
    }
    ts.forEachChild(node, visit);
  };
  visit(parsed(file, text));
  return found;
}

/** The code alone: comments and what stands in quotes taken out. */
export function codeOf(source: Source): string {
  return tokensOf(source)
    .filter(({ kind }) => kind > ts.SyntaxKind.LastTriviaToken && !isQuoted(kind))
    .map(({ text }) => text)
    .join(' ');
}

/** Each comment as one line of text; `//` lines that follow each other are one comment. */
export function commentsOf(source: Source): string[] {
  const comments: string[] = [];
  let goesOn = false;
  for (const { kind, text } of tokensOf(source)) {
    if (kind === ts.SyntaxKind.SingleLineCommentTrivia) {
      const line = text.replace(/^\/\/ ?/, '');
      if (goesOn) comments.push(`${comments.pop()} ${line}`);
      else comments.push(line);
      goesOn = true;
    } else if (kind === ts.SyntaxKind.MultiLineCommentTrivia) {
      comments.push(
        text
          .replace(/^\/\*+|\*\/$/g, '')
          .replace(/\n\s*\* ?/g, ' ')
          .trim(),
      );
      goesOn = false;
    } else if (kind > ts.SyntaxKind.LastTriviaToken) goesOn = false;
  }
  return comments;
}

interface Token {
  readonly kind: ts.SyntaxKind;
  readonly text: string;
}

/** White space and comments too. */
function tokensOf({ text }: Source): Token[] {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false, ts.LanguageVariant.Standard, text);
  const tokens: Token[] = [];
  // Inside a template the scanner has to be told where its text goes on.
  const braces: boolean[] = [];
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    if (kind === ts.SyntaxKind.OpenBraceToken) braces.push(false);
    if (kind === ts.SyntaxKind.TemplateHead) braces.push(true);
    if (kind === ts.SyntaxKind.CloseBraceToken) {
      const inTemplate = braces.pop() === true;
      if (inTemplate && scanner.reScanTemplateToken(false) === ts.SyntaxKind.TemplateMiddle)
        braces.push(true);
      if (inTemplate) continue;
    }
    tokens.push({ kind, text: scanner.getTokenText() });
  }
  return tokens;
}

const isQuoted = (kind: ts.SyntaxKind): boolean =>
  kind === ts.SyntaxKind.StringLiteral ||
  (kind >= ts.SyntaxKind.FirstTemplateToken && kind <= ts.SyntaxKind.LastTemplateToken);

const parsed = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
