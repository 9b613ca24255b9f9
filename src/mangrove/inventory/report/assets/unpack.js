// Reads the blocks of data that stand in the page: JSON, compressed, in base64.

async function unpack(packed) {
  const binary = atob(packed);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

function blocks(kind) {
  return [...document.querySelectorAll(`script[data-part="${kind}"]`)];
}

/** Read a block and give its memory back. */
async function take(block) {
  const packed = block.textContent;
  block.remove();
  return packed ? unpack(packed) : null;
}
