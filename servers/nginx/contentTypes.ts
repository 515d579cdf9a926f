/**
 * Which type a static file has, by the end of its name. A list of our own, because those of nginx's packages differ:
 * one without `.mjs` has browsers refuse the module, under the header X-Content-Type-Options that the proxy sends.
 */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  "application/atom+xml": "atom",
  "application/epub+zip": "epub",
  "application/geo+json": "geojson",
  "application/gzip": "gz",
  "application/json": "json map",
  "application/ld+json": "jsonld",
  "application/manifest+json": "webmanifest",
  "application/msword": "doc",
  "application/pdf": "pdf",
  "application/rss+xml": "rss",
  "application/rtf": "rtf",
  "application/vnd.ms-excel": "xls",
  "application/vnd.ms-fontobject": "eot",
  "application/vnd.ms-powerpoint": "ppt",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
  "application/wasm": "wasm",
  "application/xhtml+xml": "xhtml",
  "application/zip": "zip",
  "audio/aac": "aac",
  "audio/flac": "flac",
  "audio/midi": "mid midi",
  "audio/mp4": "m4a",
  "audio/mpeg": "mp3",
  "audio/ogg": "oga ogg opus",
  "audio/wav": "wav",
  "audio/webm": "weba",
  "font/otf": "otf",
  "font/ttf": "ttf",
  "font/woff": "woff",
  "font/woff2": "woff2",
  "image/apng": "apng",
  "image/avif": "avif",
  "image/bmp": "bmp",
  "image/gif": "gif",
  "image/heic": "heic",
  "image/jpeg": "jpeg jpg",
  "image/jxl": "jxl",
  "image/png": "png",
  "image/svg+xml": "svg svgz",
  "image/tiff": "tif tiff",
  "image/vnd.microsoft.icon": "ico",
  "image/webp": "webp",
  "model/gltf+json": "gltf",
  "model/gltf-binary": "glb",
  "text/calendar": "ics",
  "text/css": "css",
  "text/csv": "csv",
  "text/html": "htm html",
  "text/javascript": "cjs js mjs",
  "text/markdown": "md",
  "text/plain": "log text txt",
  "text/vcard": "vcf",
  "text/vtt": "vtt",
  "text/xml": "xml xsl",
  "video/mp2t": "ts",
  "video/mp4": "m4v mp4",
  "video/mpeg": "mpeg mpg",
  "video/ogg": "ogv",
  "video/quicktime": "mov",
  "video/webm": "webm",
  "video/x-msvideo": "avi",
};

/** What shrinks when it is compressed; what is text/html nginx compresses by itself. */
const COMPRESSED: readonly string[] = [
  ...Object.keys(CONTENT_TYPES).filter((type) => /^text\/(?!html)|[+/](json|xml)$/.test(type)),
  "application/javascript",
  "application/vnd.ms-fontobject",
  "application/wasm",
  "application/x-javascript",
  "application/xml",
  "font/otf",
  "font/ttf",
  "image/bmp",
  "image/vnd.microsoft.icon",
];

/**
 * The lines of nginx's configuration that give each file its type: of a server, where they take the place of the
 * image's own list.
 */
export const contentTypes: readonly string[] = [
  "types {",
  ...Object.entries(CONTENT_TYPES).map(([type, endings]) => `  ${type} ${endings};`),
  "}",
  "default_type application/octet-stream;",
];

export const compression: readonly string[] = [
  "gzip on;",
  "gzip_vary on;",
  "gzip_proxied any;",
  // Below that an answer is hardly smaller afterwards.
  "gzip_min_length 512;",
  `gzip_types ${COMPRESSED.join(" ")};`,
];

/** The same by brotli, which makes texts about a sixth smaller than gzip does: for an nginx that has the module. */
export const brotli: readonly string[] = [
  "brotli on;",
  // About what gzip costs.
  "brotli_comp_level 4;",
  "brotli_min_length 512;",
  `brotli_types ${COMPRESSED.join(" ")};`,
];
