/** Files that a program writes: path in this folder, and text. */
export type Files = Readonly<Record<string, string>>;
