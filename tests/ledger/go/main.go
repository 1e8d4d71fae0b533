// Command verifylog checks a log with Go's sumdb/note and sumdb/tlog, knowing nothing of the program that wrote it.
//
//	verifylog folder key [receipt entry [old-checkpoint consistency-proof]]
//
// The checkpoint's signature, every tile up to the signed root, every entry, and inclusion proofs made here. With a receipt
// that somebody kept and its entry: the receipt, and that the log continues the checkpoint in it. With an older checkpoint
// and the writer's consistency proof: that proof, and one made here.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func main() {
	if len(os.Args) != 3 && len(os.Args) != 5 && len(os.Args) != 7 {
		fail("usage: verifylog folder key [receipt entry [old-checkpoint consistency-proof]]")
	}
	folder, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	check(err)
	known := note.VerifierList(verifier)

	tree := openCheckpoint(read(filepath.Join(folder, "checkpoint")), known)
	hashes := tlog.TileHashReader(tree, &tileFiles{folder})

	// Inclusion: an entry under every tile here, and the receipt as the writer made it.
	entries := readEntries(folder, tree.N)
	for n := int64(0); n < tree.N; n += 251 {
		record, err := tlog.ProveRecord(tree.N, n, hashes)
		check(err)
		check(tlog.CheckRecord(record, tree.N, tree.Hash, n, tlog.RecordHash(entries[n])))
	}
	if len(os.Args) > 3 {
		checkContinues(tree, checkReceipt(read(os.Args[3]), read(os.Args[4]), known), hashes)
	}

	// Consistency: recomputed here, and as the writer stated it.
	if len(os.Args) > 5 {
		old := openCheckpoint(read(os.Args[5]), known)
		checkContinues(tree, old, hashes)
		stated := tlog.TreeProof(parseHashes(strings.Fields(string(read(os.Args[6])))))
		check(tlog.CheckTree(stated, tree.N, tree.Hash, old.N, old.Hash))
	}

	// The whole tree, computed from the entries with Go's own code, has the signed root.
	check(checkWholeTree(entries, tree))
	fmt.Printf("ok %d %s\n", tree.N, tree.Hash)
}

// openCheckpoint returns the tree that a signed checkpoint states.
func openCheckpoint(data []byte, known note.Verifiers) tlog.Tree {
	opened, err := note.Open(data, known)
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != opened.Sigs[0].Name {
		fail("the checkpoint doesn't have three lines that start with the key's name")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	return tlog.Tree{N: size, Hash: root}
}

// checkContinues proves that a tree is an older one with more behind it.
func checkContinues(tree, old tlog.Tree, hashes tlog.HashReader) {
	proof, err := tlog.ProveTree(tree.N, old.N, hashes)
	check(err)
	check(tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
}

// checkReceipt checks a c2sp.org/tlog-proof of an entry and returns the tree that it was signed for.
func checkReceipt(receipt, entry []byte, known note.Verifiers) tlog.Tree {
	head, checkpoint, found := strings.Cut(string(receipt), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
		fail("the receipt isn't a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	tree := openCheckpoint([]byte(checkpoint), known)
	proof := tlog.RecordProof(parseHashes(lines[2:]))
	check(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(bytes.TrimSuffix(entry, []byte("\n")))))
	return tree
}

// checkWholeTree appends all entries to a tree of Go's own and compares its root.
func checkWholeTree(entries [][]byte, tree tlog.Tree) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			out[i] = stored[index]
		}
		return out, nil
	})
	for n, entry := range entries {
		more, err := tlog.StoredHashes(int64(n), entry, reader)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	root, err := tlog.TreeHash(int64(len(entries)), reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the entries give the root %s; %s was signed", root, tree.Hash)
	}
	return nil
}

// tileFiles reads tiles in the C2SP layout, which leaves the height out of Go's own tile paths.
type tileFiles struct{ folder string }

func (t *tileFiles) Height() int { return tileHeight }

func (t *tileFiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		content, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		data[i] = content
	}
	return data, nil
}

func (t *tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}

// readEntries reads every entry bundle of a tree.
func readEntries(folder string, size int64) [][]byte {
	var entries [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := int64(256)
		if size-n*256 < width {
			width = size - n*256
		}
		tile := tlog.Tile{H: tileHeight, L: 0, N: n, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data := read(filepath.Join(folder, path))
		for len(data) > 0 {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail(fmt.Sprintf("%s ends within an entry", path))
			}
			length := int(binary.BigEndian.Uint16(data))
			entries = append(entries, append([]byte(nil), data[2:2+length]...))
			data = data[2+length:]
		}
	}
	if int64(len(entries)) != size {
		fail(fmt.Sprintf("the bundles have %d entries; %d were signed", len(entries), size))
	}
	return entries
}

func parseHashes(lines []string) []tlog.Hash {
	hashes := make([]tlog.Hash, 0, len(lines))
	for _, line := range lines {
		raw, err := base64.StdEncoding.DecodeString(line)
		check(err)
		var hash tlog.Hash
		if copy(hash[:], raw) != len(hash) || len(raw) != len(hash) {
			fail("a hash isn't 32 bytes long")
		}
		hashes = append(hashes, hash)
	}
	return hashes
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, message)
	os.Exit(1)
}
