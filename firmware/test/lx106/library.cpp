// The pieces of the C++ library that its headers leave to libstdc++, which nobody ships for the lx106: memory, strings, the balance of std::map
// and std::set, and the ends of a program that went wrong. Only the tests need them; the core asks for none.
#include <bits/stl_tree.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <utility>

namespace {

[[noreturn]] void give(const char* why) {
  printf("%s\n", why);
  exit(98);
}

}  // namespace

void* operator new(size_t bytes) {
  void* memory = malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) give("out of memory");
  return memory;
}
void operator delete(void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }

extern "C" void __cxa_pure_virtual() { give("a pure virtual function was called"); }
extern "C" int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }  // nothing is destroyed: the machine stops
extern "C" void* __dso_handle;
void* __dso_handle = nullptr;

namespace std {

void __throw_length_error(const char* why) { give(why); }
void __throw_bad_alloc() { give("out of memory"); }
void __throw_bad_array_new_length() { give("out of memory"); }
void __throw_logic_error(const char* why) { give(why); }
void __throw_out_of_range_fmt(const char* why, ...) { give(why); }

template class basic_string<char>;

namespace {

// Turns the tree about `x`, whose child on the other side of `to` takes its place.
void rotate(_Rb_tree_node_base* x, bool toLeft, _Rb_tree_node_base*& root) {
  _Rb_tree_node_base* const y = toLeft ? x->_M_right : x->_M_left;
  _Rb_tree_node_base*& inner = toLeft ? y->_M_left : y->_M_right;
  (toLeft ? x->_M_right : x->_M_left) = inner;
  if (inner != nullptr) inner->_M_parent = x;
  y->_M_parent = x->_M_parent;
  if (x == root) {
    root = y;
  } else if (x == x->_M_parent->_M_left) {
    x->_M_parent->_M_left = y;
  } else {
    x->_M_parent->_M_right = y;
  }
  inner = x;
  x->_M_parent = y;
}

}  // namespace

// Red-black insertion as in Cormen et al., "Introduction to Algorithms", chapter 13.
void _Rb_tree_insert_and_rebalance(const bool isLeft, _Rb_tree_node_base* x, _Rb_tree_node_base* parent, _Rb_tree_node_base& header) throw() {
  _Rb_tree_node_base*& root = header._M_parent;
  x->_M_parent = parent;
  x->_M_left = nullptr;
  x->_M_right = nullptr;
  x->_M_color = _S_red;
  (isLeft ? parent->_M_left : parent->_M_right) = x;
  if (parent == &header) {
    root = x;
    header._M_left = x;
    header._M_right = x;
  } else if (isLeft && parent == header._M_left) {
    header._M_left = x;
  } else if (!isLeft && parent == header._M_right) {
    header._M_right = x;
  }
  while (x != root && x->_M_parent->_M_color == _S_red) {
    _Rb_tree_node_base* const above = x->_M_parent->_M_parent;
    const bool left = x->_M_parent == above->_M_left;
    _Rb_tree_node_base* const uncle = left ? above->_M_right : above->_M_left;
    if (uncle != nullptr && uncle->_M_color == _S_red) {
      x->_M_parent->_M_color = _S_black;
      uncle->_M_color = _S_black;
      above->_M_color = _S_red;
      x = above;
      continue;
    }
    if (x == (left ? x->_M_parent->_M_right : x->_M_parent->_M_left)) {
      x = x->_M_parent;
      rotate(x, left, root);
    }
    x->_M_parent->_M_color = _S_black;
    above->_M_color = _S_red;
    rotate(above, !left, root);
  }
  root->_M_color = _S_black;
}

_Rb_tree_node_base* _Rb_tree_increment(_Rb_tree_node_base* x) throw() {
  if (x->_M_right != nullptr) {
    x = x->_M_right;
    while (x->_M_left != nullptr) x = x->_M_left;
    return x;
  }
  _Rb_tree_node_base* above = x->_M_parent;
  while (x == above->_M_right) {
    x = above;
    above = above->_M_parent;
  }
  // Behind the last one stands the header, whose right child may be the root itself.
  return x->_M_right == above ? x : above;
}

const _Rb_tree_node_base* _Rb_tree_increment(const _Rb_tree_node_base* x) throw() {
  return _Rb_tree_increment(const_cast<_Rb_tree_node_base*>(x));
}

_Rb_tree_node_base* _Rb_tree_decrement(_Rb_tree_node_base* x) throw() {
  if (x->_M_color == _S_red && x->_M_parent->_M_parent == x) return x->_M_right;
  if (x->_M_left != nullptr) {
    x = x->_M_left;
    while (x->_M_right != nullptr) x = x->_M_right;
    return x;
  }
  _Rb_tree_node_base* above = x->_M_parent;
  while (x == above->_M_left) {
    x = above;
    above = above->_M_parent;
  }
  return above;
}

const _Rb_tree_node_base* _Rb_tree_decrement(const _Rb_tree_node_base* x) throw() {
  return _Rb_tree_decrement(const_cast<_Rb_tree_node_base*>(x));
}

}  // namespace std
