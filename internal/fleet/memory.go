package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Memory is a [Store] in memory, which ends with the process.
type Memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{objects: map[string][]byte{}} }

// Location returns memory:// and the name.
func (*Memory) Location(name string) string { return "memory://" + name }

// Open implements [Store]. The modification time is not known.
func (m *Memory) Open(_ context.Context, name string) (io.ReadCloser, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	content, found := m.objects[name]
	if !found {
		return nil, time.Time{}, fmt.Errorf("get %s: %w", m.Location(name), ErrMissing)
	}
	return io.NopCloser(bytes.NewReader(content)), time.Time{}, nil
}

// Put implements [Store].
func (m *Memory) Put(_ context.Context, name string, content []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[name] = bytes.Clone(content)
	return nil
}

// Create implements [Store].
func (m *Memory) Create(_ context.Context, name string, content []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, found := m.objects[name]; found {
		return fmt.Errorf("put %s: %w", m.Location(name), ErrExists)
	}
	m.objects[name] = bytes.Clone(content)
	return nil
}

// Delete removes the object, if there is one.
func (m *Memory) Delete(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}

// List implements [Store].
func (m *Memory) List(_ context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(m.objects)), func(name string) bool {
		return !strings.HasPrefix(name, prefix)
	}), nil
}
