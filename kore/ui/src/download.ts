// Files that the browser keeps, from a text or from an address.

/** Have the browser download an address; without a name the server names the file. */
export function fetchFile(address: string, name = ""): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

/** Hand a table to the browser as a file. */
export function saveTable(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  fetchFile(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
