// The official Node SDK, uploading the same file straight to the same store.
"use strict";

const { readFileSync } = require("node:fs");
const COS = require("cos-nodejs-sdk-v5");

const spec = JSON.parse(readFileSync(0, "utf8"));
const cos = new COS({
  SecretId: spec.store.secret_id,
  SecretKey: spec.store.secret_key,
  Protocol: "http:",
  Proxy: `http://127.0.0.1:${spec.store.port}`,
  ChunkParallelLimit: 4,
  ChunkSize: 8 * 1024 * 1024,
  UploadCheckContentMd5: false,
});
const begunAt = process.hrtime.bigint();
const begunWith = process.cpuUsage();
const request = {
  Bucket: spec.store.bucket,
  Region: spec.store.region,
  Key: spec.key,
  FilePath: spec.file,
  ChunkSize: 8 * 1024 * 1024,
  AsyncLimit: 4,
};
cos.sliceUploadFile(request, (error) => {
  if (error) {
    console.error(error);
    process.exit(1);
  }
  const cpu = process.cpuUsage(begunWith);
  console.log(
    JSON.stringify({
      wall_s: Number(process.hrtime.bigint() - begunAt) / 1e9,
      cpu_s: (cpu.user + cpu.system) / 1e6,
      peak_bytes: process.resourceUsage().maxRSS * 1024,
    }),
  );
});
