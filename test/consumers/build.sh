#!/usr/bin/env bash
# Builds the programs that read SBOMs as their consumers do, at pinned versions, into FOLDER, each once and at low priority.
# usage: build.sh FOLDER
set -euo pipefail
folder=$(realpath -m "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$folder"
export GOTOOLCHAIN=auto

# NAME MODULE VERSION [ENVIRONMENT]
consumer() {
  local name=$1 module=$2 version=$3 experiment=${4:-}
  if [ -x "$folder/$name" ] && [ "$folder/$name" -nt "$here/$name.go" ] && go version -m "$folder/$name" | grep -qE "[[:space:]]$module[[:space:]]+$version"; then
    return
  fi
  echo "building the reader of $name $version" >&2
  mkdir -p "$folder/build/$name"
  printf 'module consumer\ngo 1.26.3\nrequire %s %s\n' "$module" "$version" >"$folder/build/$name/go.mod"
  cp "$here/$name.go" "$folder/build/$name"
  (cd "$folder/build/$name" && GOEXPERIMENT=$experiment nice -n 15 go build -mod=mod -o "$folder/$name" "$name.go")
}

consumer cyclonedx-go github.com/CycloneDX/cyclonedx-go v0.12.0
consumer scalibr github.com/google/osv-scalibr v0.5.3
consumer trivy github.com/aquasecurity/trivy v0.74.0 jsonv2
consumer grype github.com/anchore/grype v0.121.3

java=12.2.0
if [ ! -f "$folder/java/$java" ] || [ "$here/CycloneDxJava.java" -nt "$folder/java/$java" ]; then
  mkdir -p "$folder/java"
  printf '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies><dependency><groupId>org.cyclonedx</groupId><artifactId>cyclonedx-core-java</artifactId><version>%s</version></dependency></dependencies></project>' "$java" >"$folder/java/pom.xml"
  (cd "$folder/java" && nice -n 15 mvn -q dependency:copy-dependencies -DoutputDirectory=lib && nice -n 15 javac -cp 'lib/*' -d . "$here/CycloneDxJava.java")
  touch "$folder/java/$java"
fi
