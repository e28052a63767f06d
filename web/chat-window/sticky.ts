/** Whether the list follows its end. An object of its own, because several hooks decide it and none of them renders for it. */
export class Sticky {
  #on = true;

  get on(): boolean {
    return this.#on;
  }

  set(on: boolean): void {
    this.#on = on;
  }
}
