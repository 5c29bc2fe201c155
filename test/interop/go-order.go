// Prints -1, 0 or 1 for each line "A<tab>B" of standard input, in the order of golang.org/x/mod.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/semver"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		one, two, _ := strings.Cut(lines.Text(), "\t")
		if !semver.IsValid(one) || !semver.IsValid(two) {
			fmt.Fprintln(out, "invalid")
			continue
		}
		fmt.Fprintln(out, semver.Compare(one, two))
	}
}
