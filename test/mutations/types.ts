// A mutation that no longer compiles breaks the program in another way than it says, and any test would notice it: the
// mutated file is checked like the rest of the code. What a mechanism leaves unused when it goes is not a fault.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import type { Mutation } from './mutation.js';

/** Declared but not used (6133, 6192, 6196, 6198), unreachable (7027), a condition that is now always the same (2367). */
const LEFT_BEHIND = new Set([6133, 6192, 6196, 6198, 7027, 2367]);

/** @returns what the compiler says about a mutation's file once it is mutated; empty where it compiles, or is not TypeScript. */
export function typeChecker(root: string): (mutation: Mutation) => string[] {
  const config = path.join(root, 'tsconfig.json');
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const mutated = new Map<string, { text: string; version: number }>();
  const service = ts.createLanguageService({
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    getCompilationSettings: () => options,
    getScriptFileNames: () => fileNames,
    getScriptVersion: (file) => String(mutated.get(file)?.version ?? 0),
    getScriptSnapshot: (file) => {
      const text = mutated.get(file)?.text ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });
  let version = 0;
  return ({ file, find, put }) => {
    const target = path.join(root, file);
    if (!fileNames.includes(target)) return [];
    const before = readFileSync(target, 'utf8');
    version += 1;
    mutated.set(target, { text: before.replace(find, () => put), version });
    const faults = [...service.getSyntacticDiagnostics(target), ...service.getSemanticDiagnostics(target)];
    version += 1;
    mutated.set(target, { text: before, version });
    return faults
      .filter(({ code }) => !LEFT_BEHIND.has(code))
      .map(({ code, messageText }) => `TS${code} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  };
}
