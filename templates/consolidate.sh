#!/usr/bin/env bash
# Makes consolidated/ beside this file: the checkpoint as a folder that transformers and vLLM load.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p consolidated
for shard in shard-00001-model-*.safetensors; do
  name=${shard#shard-00001-}
  ln -f "$shard" "consolidated/$name" 2>/dev/null || cp -f "$shard" "consolidated/$name"
done
for file in .hf_metadata/*; do
  case $file in
    */fqn_to_*) ;;
    *) cp -Rf "$file" consolidated/ ;;
  esac
done
echo "wrote $PWD/consolidated"
