// Files and folders that were dropped or chosen, each with the name that it is to have.

export interface Given {
  file: File;
  name: string;
}

/** Files in all folders that were dropped, but hidden ones. */
export async function dropped(transfer: DataTransfer): Promise<Given[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const given = entries.length ? (await Promise.all(entries.map((entry) => within(entry, "")))).flat() : named(transfer.files);
  return given.filter(isShown);
}

/** Files that were chosen; of a chosen folder with the names of the folders in it. */
export function named(files: FileList | File[]): Given[] {
  return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name })).filter(isShown);
}

function isShown({ name }: Given): boolean {
  return !name.split("/").some((part) => part.startsWith(".")) && !name.endsWith(".meta.json");
}

async function within(entry: FileSystemEntry, folder: string): Promise<Given[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    return [{ file, name: `${folder}${entry.name}` }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const inside: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map((one) => within(one, `${folder}${entry.name}/`)))).flat();
}
