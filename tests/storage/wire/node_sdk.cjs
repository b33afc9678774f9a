// The official Node SDK behind a pipe: one JSON object per line in, one per line out, one call at a time.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const COS = require("cos-nodejs-sdk-v5");

const now = Date.now;

function revived(_, value) {
  if (value && value.$bytes !== undefined) return Buffer.from(value.$bytes, "base64");
  if (value && value.$stream !== undefined) return fs.createReadStream(value.$stream);
  return value;
}

function written(_, value) {
  if (value && value.type === "Buffer") return { $bytes: Buffer.from(value.data).toString("base64") };
  return value;
}

function called({ options, method, params, clock }) {
  Date.now = clock === undefined ? now : () => clock * 1000;
  const progress = { onProgress: [], onHashProgress: [] };
  for (const name of Object.keys(progress)) {
    if (params[name]) params[name] = (each) => progress[name].push(each);
  }
  const cos = new COS(options);
  if (method === "getAuth") return { data: cos.getAuth(params) };
  return new Promise((resolve) => {
    cos[method](params, (error, data) => resolve({ error, data, progress }));
  });
}

async function serve() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = await called(JSON.parse(line, revived));
    } catch (problem) {
      answer = { error: { message: String(problem) } };
    }
    process.stdout.write(JSON.stringify(answer, written) + "\n");
  }
  process.exit(0);
}

serve();
